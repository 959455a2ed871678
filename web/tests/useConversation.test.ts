import { afterEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { ApiError } from '../src/api/client'
import type { ChatReply } from '../src/api/types'
import { useConversation } from '../src/portal/useConversation'
import { pending, settled, unmountAll } from './mounting'

const reply = (text: string): ChatReply => ({ messages: [{ text }], outcome: 'answered' })

afterEach(unmountAll)

describe('useConversation', () => {
  it('sends the payload and shows the title of a pressed button', async () => {
    const chat = vi.fn(async () => reply('好'))
    const { send, turns } = useConversation(chat)
    send('是的', '/affirm')
    await settled()
    expect(chat).toHaveBeenCalledWith(expect.stringMatching(/^[\w-]{36}$/), '/affirm', expect.any(String))
    expect(turns.value[0]).toMatchObject({ text: '是的', status: 'sent' })
  })

  it('sends one message at a time, and nothing blank', () => {
    const chat = vi.fn(() => pending<ChatReply>().promise)
    const { send } = useConversation(chat)
    expect(send('一')).toBe(true)
    expect(send('二')).toBe(false)
    expect(chat).toHaveBeenCalledTimes(1)
    const other = useConversation(chat)
    expect(other.send('  \n')).toBe(false)
  })

  it('keeps a failed message and sends it again with the same key', async () => {
    const chat = vi.fn<(sender: string, message: string, key: string) => Promise<ChatReply>>()
    chat.mockRejectedValueOnce(new ApiError('网络断开', 'network')).mockResolvedValueOnce(reply('到了'))
    const { send, resend, turns } = useConversation(chat)
    send('问题')
    await settled()
    expect(turns.value).toMatchObject([{ text: '问题', status: 'failed', problem: '网络断开' }])
    resend(turns.value[0]!.id)
    await settled()
    expect(turns.value).toMatchObject([{ text: '问题', status: 'sent' }, { messages: [{ text: '到了' }] }])
    expect(chat.mock.calls[1]).toEqual(chat.mock.calls[0])
  })

  it('is the same person in the same conversation after a reload', async () => {
    const first = useConversation(vi.fn(async () => reply('好')))
    first.send('一')
    await settled()
    const second = useConversation(vi.fn())
    expect(second.sender.value).toBe(first.sender.value)
    expect(second.turns.value).toEqual(first.turns.value)
    expect(localStorage.getItem('qifu.turns')).toBeNull()
  })

  it('starts again as somebody else, and a late answer stays away', async () => {
    const late = pending<ChatReply>()
    const { send, restart, sender, turns } = useConversation(() => late.promise)
    const before = sender.value
    send('一')
    restart()
    late.resolve(reply('迟到'))
    await settled()
    expect(turns.value).toEqual([])
    expect(sender.value).not.toBe(before)
    await nextTick()
    expect(sessionStorage.getItem('qifu.turns')).toBeNull()
  })

  it('does not trust a stored id that could not be one', () => {
    localStorage.setItem('qifu.sender', '<b> x')
    expect(useConversation(vi.fn()).sender.value).toMatch(/^[\w-]{36}$/)
  })
})
