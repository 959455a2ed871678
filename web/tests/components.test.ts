import { afterEach, describe, expect, it, vi } from 'vitest'
import { h, ref } from 'vue'
import type { Button, Citation, Message } from '../src/api/types'
import { command } from '../src/portal/commands'
import AppealCard from '../src/portal/components/AppealCard.vue'
import AssistantTurn from '../src/portal/components/AssistantTurn.vue'
import MessageComposer from '../src/portal/components/MessageComposer.vue'
import PersonTurn from '../src/portal/components/PersonTurn.vue'
import ServiceBanner from '../src/portal/components/ServiceBanner.vue'
import { service } from '../src/portal/useReadiness'
import { allNamed, mount, named, settled, unmountAll } from './mounting'

afterEach(() => {
  unmountAll()
  vi.unstubAllGlobals()
})

const EVIL = '<script>window.bad = 1</script><img src=x onerror="window.bad = 1">&lt;b&gt;'

function turn(messages: Message[], more: Record<string, unknown> = {}) {
  return mount(AssistantTurn, { messages, live: true, busy: false, ...more })
}

describe('an answer', () => {
  it('shows markup as text, wherever it stands', () => {
    const root = turn([
      {
        text: EVIL,
        citations: [{ document: EVIL, section: EVIL, entry: 'x' }],
        buttons: [{ title: EVIL, payload: 'x' }],
        card: { type: 'entry', entry: 'x', title: EVIL, fields: [{ label: EVIL, value: EVIL, links: [{ name: EVIL, url: 'javascript:alert(1)' }] }] },
      },
      { text: '', card: { type: 'appeal', number: EVIL, level: 'single', state: EVIL, lead_department: EVIL } },
      { text: '', card: { type: 'form', title: EVIL, step: 1, total: 2, fields: [{ label: EVIL, value: EVIL }] } },
    ])
    expect(root.querySelector('script, img, b b, a')).toBeNull()
    expect(root.textContent!.split(EVIL).length - 1).toBeGreaterThanOrEqual(12)
    expect((window as { bad?: number }).bad).toBeUndefined()
  })

  it('shows each source once, and says which one was opened', () => {
    const cite = vi.fn()
    const citation: Citation = { document: '文件', section: '一', entry: 'a' }
    const root = turn([{ text: '答', citations: [citation, { ...citation }, { ...citation, section: '二' }] }], { onCite: cite })
    const chips = allNamed(root, 'citation')
    expect(chips.map((chip) => chip.textContent)).toEqual(['来源文件 · 一', '来源文件 · 二'])
    chips[1]!.click()
    expect(cite).toHaveBeenCalledWith({ document: '文件', section: '二', entry: 'a' })
  })

  it('offers its buttons once each, while it is the last answer, and not while something is sent', async () => {
    const press = vi.fn()
    const button: Button = { title: '转人工', payload: '/ask_human' }
    const messages = [{ text: '一', buttons: [button] }, { text: '二', buttons: [{ ...button }, { title: '好', payload: '好' }] }]
    const root = turn(messages, { onPress: press })
    expect(allNamed(root, 'quick-reply').map((found) => found.textContent)).toEqual(['转人工', '好'])
    allNamed(root, 'quick-reply')[0]!.click()
    expect(press).toHaveBeenCalledWith(button)
    expect(allNamed(turn(messages, { live: false }), 'quick-reply')).toEqual([])
    const busy = allNamed(turn(messages, { busy: true }), 'quick-reply') as HTMLButtonElement[]
    expect(busy.every((found) => found.disabled)).toBe(true)
  })

  it('shows a card that adds to its text, and no card that repeats it', () => {
    const card = { type: 'entry', entry: 'x', title: '题', fields: [{ label: '电话', value: '0571-20000000' }] }
    expect(allNamed(turn([{ text: '电话：0571-20000000', card }]), 'entry-card')).toEqual([])
    expect(allNamed(turn([{ text: '请打电话。', card }]), 'entry-card')).toHaveLength(1)
    const linked = { ...card, fields: [{ label: '网址', value: '', links: [{ name: '站', url: 'https://example.com/' }] }] }
    expect(allNamed(turn([{ text: '请打电话。', card: linked }]), 'entry-card')[0]!.querySelector('a')!.href).toBe('https://example.com/')
  })

  it('tells several appeals apart by their problems', () => {
    const card = { type: 'appeal', number: 'QT20261121-0001', level: 'single', state: 'filed', text: '漏水' }
    expect(turn([{ text: '已提交。', card }]).textContent).not.toContain('漏水')
    const two = turn([{ text: '已提交。', card }, { text: '', card: { ...card, number: 'QT20261121-0002', text: '停电' } }])
    expect(allNamed(two, 'appeal-card').map((found) => /漏水|停电/.exec(found.textContent!)![0])).toEqual(['漏水', '停电'])
  })

  it('passes over a card it does not know', () => {
    expect(turn([{ text: '答', card: { type: 'hologram' } }]).textContent).toContain('答')
  })
})

describe('an appeal card', () => {
  const appeal = {
    number: 'QT20261121-0042',
    level: 'single' as const,
    level_text: '单一部门问题',
    lead_department: '某部门',
    co_departments: ['甲局', '乙局'],
    territory: '某街道',
    state: 'resolved',
    due_at: '2026-11-26T17:30:00+08:00',
  }

  it('shows number, level, lead, others, due time and state in words', () => {
    const root = mount(AppealCard, { appeal })
    expect(named(root, 'appeal-number').textContent).toBe('QT20261121-0042')
    expect(named(root, 'appeal-due').textContent).toBe('2026年11月26日 17:30')
    expect(named(root, 'appeal-state').textContent).toBe('已办结待确认')
    for (const words of ['单一部门问题', '某部门', '甲局、乙局', '某街道']) expect(root.textContent).toContain(words)
  })

  it('copies the number and says so', async () => {
    const writeText = vi.fn(async () => undefined)
    vi.stubGlobal('navigator', { clipboard: { writeText } })
    const root = mount(AppealCard, { appeal })
    root.querySelector('button')!.click()
    await settled()
    expect(writeText).toHaveBeenCalledWith('QT20261121-0042')
    expect(root.textContent).toContain('已复制')
  })
})

describe('what the person said', () => {
  it('is text, and a failed message offers to be sent again', () => {
    const resend = vi.fn()
    const said = { id: 'a', who: 'person', text: EVIL, payload: 'x', status: 'failed', problem: '网络断开。' }
    const root = mount(PersonTurn, { turn: said, busy: false, onResend: resend })
    expect(root.querySelector('script, img')).toBeNull()
    expect(root.textContent).toContain(EVIL)
    expect(root.textContent).toContain('网络断开。')
    named(root, 'resend').click()
    expect(resend).toHaveBeenCalledTimes(1)
  })
})

describe('the composer', () => {
  function compose(busy = false) {
    const words = ref('')
    const send = vi.fn()
    const root = mount({
      render: () =>
        h(MessageComposer, { modelValue: words.value, 'onUpdate:modelValue': (now: string) => (words.value = now), busy, onSend: send }),
    })
    const area = named(root, 'message-input') as HTMLTextAreaElement
    const type = async (text: string) => {
      area.value = text
      area.dispatchEvent(new Event('input', { bubbles: true }))
      await settled()
    }
    const enter = (more: KeyboardEventInit = {}) => {
      const event = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...more })
      area.dispatchEvent(event)
      return event
    }
    return { root, area, send, type, enter }
  }

  it('sends on Enter and breaks the line on Shift+Enter', async () => {
    const { send, type, enter } = compose()
    await type('您好')
    expect(enter({ shiftKey: true }).defaultPrevented).toBe(false)
    expect(send).not.toHaveBeenCalled()
    expect(enter().defaultPrevented).toBe(true)
    expect(send).toHaveBeenCalledWith('您好')
  })

  it('leaves the Enter that picks a candidate to the input method', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1000)
    const { send, type, area, enter } = compose()
    await type('ni')
    area.dispatchEvent(new CompositionEvent('compositionstart'))
    enter()
    area.dispatchEvent(new CompositionEvent('compositionend'))
    // Safari reports the Enter only now
    enter()
    expect(send).not.toHaveBeenCalled()
    clock.mockReturnValue(1200)
    enter()
    expect(send).toHaveBeenCalledTimes(1)
    clock.mockRestore()
  })

  it('sends nothing blank, nothing too long, and nothing while waiting', async () => {
    const { root, send, type, enter } = compose()
    await type(' \n ')
    enter()
    await type('长'.repeat(5001))
    enter()
    expect(root.textContent).toContain('5001')
    await type('长'.repeat(4600))
    expect(root.textContent).toContain('4600 / 5000')
    expect(send).not.toHaveBeenCalled()
    const waiting = compose(true)
    await waiting.type('您好')
    waiting.enter()
    expect(waiting.send).not.toHaveBeenCalled()
  })
})

describe('the banner', () => {
  it('shows while the engine is away or nothing answers, and goes by itself', () => {
    expect(service({ ready: false, parts: { bot: 'unavailable' } })).toBe('away')
    expect(service({ ready: true, parts: { bot: 'ok' } })).toBe('ready')
    expect(service({ ready: false, parts: { bot: 'ok', database: 'unavailable' } })).toBe('ready')
    expect(mount(ServiceBanner, { service: 'away' }).textContent).toContain('填表提交诉求')
    expect(mount(ServiceBanner, { service: 'unreachable' }).textContent).toContain('连不上')
    expect(mount(ServiceBanner, { service: 'ready' }).textContent!.trim()).toBe('')
    expect(mount(ServiceBanner, { service: 'unknown' }).textContent!.trim()).toBe('')
  })
})

describe('commands', () => {
  it('are the payloads that open a form, with what they fill in', () => {
    expect(command('/open_appeal_form')).toEqual({ name: 'appeal', text: undefined })
    expect(command('/open_appeal_form{"text": "漏水"}')).toEqual({ name: 'appeal', text: '漏水' })
    expect(command('/open_lookup_form{"number": "QT1"}')).toEqual({ name: 'lookup', number: 'QT1' })
    expect(command('/open_appeal_form{broken}')).toEqual({ name: 'appeal', text: undefined })
    for (const payload of ['/file_appeal', '我要 /open_appeal_form', '', '/open_other_form']) expect(command(payload)).toBeNull()
  })
})
