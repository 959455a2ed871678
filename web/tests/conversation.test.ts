import { describe, expect, it } from 'vitest'
import type { ChatReply } from '../src/api/types'
import { isSending, KEPT_TURNS, liveTurn, reduce, restored, type Said, type Turn } from '../src/portal/conversation'

const reply = (text: string): ChatReply => ({ messages: [{ text }], outcome: 'answered' })
const send = (turns: Turn[], id: string) => reduce(turns, { type: 'send', id, text: id, payload: id })
const states = (turns: Turn[]) => turns.map((turn) => (turn.who === 'person' ? `${turn.id}:${turn.status}` : turn.id))

describe('reduce', () => {
  it('puts the answer after what it answers, and marks that as sent', () => {
    const turns = reduce(send([], 'a'), { type: 'answer', id: 'a', reply: reply('b') })
    expect(states(turns)).toEqual(['a:sent', 'a:reply'])
  })

  it('keeps a failed message with the reason, and sends it again at the end', () => {
    let turns = reduce(send([], 'a'), { type: 'fail', id: 'a', problem: '断网' })
    expect((turns[0] as Said).problem).toBe('断网')
    turns = reduce(send(turns, 'b'), { type: 'answer', id: 'b', reply: reply('x') })
    turns = reduce(turns, { type: 'resend', id: 'a' })
    expect(states(turns)).toEqual(['b:sent', 'b:reply', 'a:sending'])
    expect((turns[2] as Said).problem).toBeUndefined()
  })

  it('sends only a failed message again', () => {
    const turns = reduce(send([], 'a'), { type: 'answer', id: 'a', reply: reply('x') })
    expect(reduce(turns, { type: 'resend', id: 'a' })).toEqual(turns)
    expect(reduce(turns, { type: 'resend', id: 'nobody' })).toEqual(turns)
  })

  it('drops the answer to a conversation that was cleared', () => {
    const cleared = reduce(send([], 'a'), { type: 'clear' })
    expect(reduce(cleared, { type: 'answer', id: 'a', reply: reply('late') })).toEqual([])
  })

  it('says something where an answer is empty', () => {
    const turns = reduce(send([], 'a'), { type: 'answer', id: 'a', reply: { messages: [], outcome: 'answered' } })
    expect(turns[1]).toMatchObject({ who: 'assistant', messages: [{ text: expect.stringContaining('没有收到') }] })
  })

  it('never changes what it was given', () => {
    const before = Object.freeze(send([], 'a').map((turn) => Object.freeze(turn))) as Turn[]
    reduce(before, { type: 'fail', id: 'a', problem: 'x' })
    expect(states(before)).toEqual(['a:sending'])
  })

  it('keeps only the newest turns', () => {
    let turns: Turn[] = []
    for (let n = 0; n < KEPT_TURNS + 5; n += 1) turns = send(turns, String(n))
    expect(turns.length).toBe(KEPT_TURNS)
    expect(turns.at(-1)!.id).toBe(String(KEPT_TURNS + 4))
  })
})

describe('what can be pressed', () => {
  it('is the last answer, until something is said after it', () => {
    const answered = reduce(send([], 'a'), { type: 'answer', id: 'a', reply: reply('x') })
    expect(liveTurn(answered)).toBe('a:reply')
    expect(liveTurn(send(answered, 'b'))).toBeNull()
    expect(liveTurn([])).toBeNull()
    expect(isSending(answered)).toBe(false)
    expect(isSending(send(answered, 'b'))).toBe(true)
  })
})

describe('restored', () => {
  it('gives back what was kept, with an unanswered message to send again', () => {
    const turns = send(reduce(send([], 'a'), { type: 'answer', id: 'a', reply: reply('x') }), 'b')
    const back = restored(JSON.stringify(turns))
    expect(states(back)).toEqual(['a:sent', 'a:reply', 'b:failed'])
    expect((back[2] as Said).problem).not.toBe('')
  })

  it.each([null, '', 'nonsense', '{}', '[1, null, {"id": 3}, {"id": "x", "who": "nobody"}]'])('gives nothing for %s', (json) => {
    expect(restored(json)).toEqual([])
  })
})
