/** The calls that the portal page makes. */

import { ApiError, call, isRecord } from './client'
import type { AppealView, ChatReply, EntryCard, FiledGroup, Filing, Message, PortalInfo, Readiness, Territory } from './types'

const API = '/api/v1'

/** Says something; sent again with the same key, a message is not taken a second time. */
export async function chat(sender: string, message: string, key: string): Promise<ChatReply> {
  const body = { sender, message, channel: 'web', idempotency_key: key }
  const reply = await call<ChatReply>(`${API}/chat`, { method: 'POST', body, timeout: 45_000 })
  if (!Array.isArray(reply.messages)) throw new ApiError('服务的回复看不懂，请稍后再试。', 'server')
  return reply
}

/** Readiness of the service's parts; not ready is an answer, not an error. */
export function readiness(): Promise<Readiness> {
  return call<Readiness>('/readyz', { accept: [503], timeout: 8_000 })
}

/** What the portal says about itself; empty where the backend does not tell. */
export async function portalInfo(): Promise<PortalInfo> {
  try {
    const info = await call<unknown>(`${API}/portal`)
    return isRecord(info) ? (info as PortalInfo) : {}
  } catch {
    return {}
  }
}

export async function territories(): Promise<Territory[]> {
  const body = await call<unknown>(`${API}/territories`)
  const list = Array.isArray(body) ? body : isRecord(body) ? Object.values(body).find(Array.isArray) : undefined
  return (list ?? []).filter((item): item is Territory => isRecord(item) && typeof item['name'] === 'string')
}

/** The whole entry behind a citation: its answer and its card. */
export async function entry(id: string): Promise<{ text: string; card: EntryCard | null }> {
  const reply = await call<{ messages: Message[] }>(`${API}/knowledge/answer`, { method: 'POST', body: { entry: id } })
  const first = reply.messages?.[0]
  const card = first?.card
  return { text: first?.text ?? '', card: isRecord(card) && card['type'] === 'entry' ? (card as unknown as EntryCard) : null }
}

export function fileAppeal(filing: Filing): Promise<FiledGroup> {
  return call<FiledGroup>(`${API}/appeals`, { method: 'POST', body: filing, timeout: 30_000 })
}

export async function lookUp(number: string, phone: string): Promise<AppealView> {
  const body = await call<{ appeal: AppealView }>(`${API}/appeals/lookup`, { method: 'POST', body: { number, phone } })
  return body.appeal
}

export interface FeedbackInput {
  phone: string
  result: 'resolved' | 'unresolved'
  stars?: number
  comment?: string
}

/** Gives the enterprise's word on a resolved appeal; answers with the appeal as it is now. */
export async function giveFeedback(number: string, feedback: FeedbackInput): Promise<AppealView> {
  const path = `${API}/appeals/${encodeURIComponent(number)}/feedback`
  const body = await call<{ appeal?: AppealView }>(path, { method: 'POST', body: feedback })
  return body.appeal ?? lookUp(number, feedback.phone)
}

/** Says that a merged appeal is another matter; answers with the appeal as it is now. */
export async function separateAppeal(number: string, phone: string): Promise<AppealView> {
  const path = `${API}/appeals/${encodeURIComponent(number)}/separate`
  const body = await call<{ appeal: AppealView }>(path, { method: 'POST', body: { phone } })
  return body.appeal
}
