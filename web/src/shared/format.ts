/** How times, states and levels are written. */

const MOMENT = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2}))?/

/**
 * A moment as `2026年11月24日 17:30`, in the offset that it carries.
 *
 * The backend sends local wall time with its offset; the reader's own time zone plays no part, because a
 * due time is a matter of the office's clock.
 */
export function moment(iso: string | null | undefined): string {
  const found = iso ? MOMENT.exec(iso) : null
  if (!found) return iso ?? ''
  const [, year, month, day, hour, minute] = found
  const date = `${year}年${Number(month)}月${Number(day)}日`
  return hour === undefined ? date : `${date} ${hour}:${minute}`
}

export const LEVELS: Record<string, string> = {
  simple: '简单问题',
  single: '单一部门问题',
  whistle: '吹哨问题',
}

export const STATES: Record<string, string> = {
  filed: '已提交',
  assigned: '已交办',
  transferred: '已转办',
  in_work: '办理中',
  replied: '已答复',
  resolved: '已办结待确认',
  closed: '已闭环',
  reopened: '重新办理',
  escalated: '提级协调中',
  returned: '专班退回',
  not_accepted: '不予受理，待确认',
  withdrawn: '已撤回',
  merged: '已并案',
}

export type Tone = 'neutral' | 'active' | 'attention' | 'done'

const TONES: Record<string, Tone> = {
  filed: 'active',
  assigned: 'active',
  transferred: 'active',
  in_work: 'active',
  replied: 'active',
  escalated: 'active',
  returned: 'active',
  not_accepted: 'attention',
  resolved: 'attention',
  reopened: 'attention',
  closed: 'done',
}

export function tone(state: string): Tone {
  return TONES[state] ?? 'neutral'
}

export interface Piece {
  kind: 'text' | 'url' | 'phone' | 'number'
  text: string
  href?: string
}

// An address ends before Chinese text and before the punctuation that closes a sentence. The runs of letters and
// digits are matched whole and judged afterwards: older Safari knows no look-behind.
const CANDIDATES =
  /https?:\/\/[^\s\u3000-\u303f\u4e00-\u9fff\uff00-\uffef<>"']*[^\s\u3000-\u303f\u4e00-\u9fff\uff00-\uffef<>"'.,;:!?)\]]|[A-Za-z\d]+(?:-\d+)*/g
const PHONE = /^(?:0\d{2,3}-[2-9]\d{6,7}|1[3-9]\d{9})$/
const NUMBER = /^[A-Z]{2}\d{8}-\d{4,}$/

/** A plain text cut into what is shown as text, as a link, as a number to call, and as an appeal number. */
export function pieces(text: string): Piece[] {
  const out: Piece[] = []
  let end = 0
  for (const found of text.matchAll(CANDIDATES)) {
    const piece = judged(found[0])
    if (!piece) continue
    const start = found.index ?? 0
    if (start > end) out.push({ kind: 'text', text: text.slice(end, start) })
    out.push(piece)
    end = start + found[0].length
  }
  if (end < text.length) out.push({ kind: 'text', text: text.slice(end) })
  return out
}

function judged(text: string): Piece | null {
  if (text.includes('://')) return { kind: 'url', text, href: text }
  if (PHONE.test(text)) return { kind: 'phone', text, href: `tel:${text.replace(/-/g, '')}` }
  return NUMBER.test(text) ? { kind: 'number', text } : null
}

/** Length as the backend counts it: in characters, an emoji being one. */
export function characters(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}

/** An address that may stand behind a link: web addresses only, never a script. */
export function safeUrl(url: string | null | undefined): string | null {
  return url && /^https?:\/\//i.test(url) ? url : null
}

/**
 * A text without the lines that only name its sources.
 *
 * Texts are complete in themselves, for doors that can show nothing else; the page shows the sources apart.
 */
export function withoutSources(text: string, citations: readonly { document: string; section: string }[]): string {
  const named = new Set(citations.map((citation) => squeezed(`来源：《${citation.document}》${citation.section}`)))
  return named.size
    ? text
        .split('\n')
        .filter((line) => !named.has(squeezed(line)))
        .join('\n')
        .trim()
    : text
}

function squeezed(text: string): string {
  return text.replace(/[\s。《》〈〉]/g, '')
}
