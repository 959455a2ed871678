/** Button payloads that the page carries out itself instead of sending them. */

import { isRecord } from '../api/client'

export type Command =
  | { name: 'appeal'; text?: string }
  | { name: 'lookup'; number?: string }

const COMMAND = /^\/open_(appeal|lookup)_form(\{.*\})?$/s

/** The command in a payload, or null where the payload is for the assistant. */
export function command(payload: string): Command | null {
  const found = COMMAND.exec(payload.trim())
  if (!found) return null
  let values: Record<string, unknown> = {}
  try {
    const parsed: unknown = found[2] ? JSON.parse(found[2]) : {}
    if (isRecord(parsed)) values = parsed
  } catch {
    // a command with unreadable values still opens its form, empty
  }
  const text = (name: string) => (typeof values[name] === 'string' ? (values[name] as string) : undefined)
  return found[1] === 'appeal' ? { name: 'appeal', text: text('text') } : { name: 'lookup', number: text('number') }
}
