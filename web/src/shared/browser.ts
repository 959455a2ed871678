/** What the browser keeps and does for the page, each with a fallback where it refuses. */

/** What the browser would not keep. */
const memory = new Map<string, string>()

/** A kept value; from memory where the browser keeps nothing (private windows, blocked or full storage). */
export function kept(kind: 'local' | 'session', key: string): string | null {
  const own = memory.get(`${kind}:${key}`)
  if (own !== undefined) return own
  try {
    return storage(kind).getItem(key)
  } catch {
    return null
  }
}

/** Keeps a value, or forgets it when `value` is null. */
export function keep(kind: 'local' | 'session', key: string, value: string | null): void {
  memory.delete(`${kind}:${key}`)
  try {
    if (value === null) storage(kind).removeItem(key)
    else storage(kind).setItem(key, value)
  } catch {
    if (value !== null) memory.set(`${kind}:${key}`, value)
  }
}

function storage(kind: 'local' | 'session'): Storage {
  return kind === 'local' ? window.localStorage : window.sessionStorage
}

/** A random UUID, also on pages without TLS, where `crypto.randomUUID` is missing. */
export function uuid(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Puts a text on the clipboard; false when the browser does not allow it. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

// navigator.clipboard is missing on pages without TLS
function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.setAttribute('readonly', '')
  area.style.position = 'fixed'
  area.style.opacity = '0'
  document.body.append(area)
  area.select()
  try {
    return document.execCommand('copy')
  } catch {
    return false
  } finally {
    area.remove()
  }
}
