/**
 * Filing an appeal by form, so that it is filed exactly once.
 *
 * One idempotency key belongs to one draft until the backend has confirmed it. It survives failures, retries
 * and reloads. If the person changes the draft after a try whose outcome is unknown, the key stays: should
 * the earlier words have arrived after all, the backend refuses the changed ones as a conflict, and the earlier
 * words are asked for again with the same key, which answers with the appeal that they became.
 */

import { reactive, ref, watch } from 'vue'
import { ApiError, isRecord, sentence } from '../api/client'
import { fileAppeal } from '../api/portal'
import type { FiledGroup, Filing } from '../api/types'
import { keep, kept, uuid } from '../shared/browser'
import { characters } from '../shared/format'

export interface Draft {
  enterprise: string
  contact: string
  phone: string
  territory: string
  text: string
}

export type Problems = Partial<Record<keyof Draft, string>>

interface Pending {
  key: string
  /** Contents that were sent and may have arrived. */
  uncertain: Filing[]
}

const DRAFT = 'qifu.draft'
const PENDING = 'qifu.pending'
const FIELDS = ['enterprise', 'contact', 'phone', 'territory', 'text'] as const

const PHONE = '联系电话不正确：请填写 11 位手机号码，或者带区号的固定电话（例如 0571-8XXXXXXX）。'

/** What is plainly wrong with a draft, in the backend's words; whether the rest is right, the backend decides. */
export function check(draft: Draft): Problems {
  const problems: Problems = {}
  const enterprise = characters(draft.enterprise.trim())
  if (enterprise < 2 || enterprise > 100) problems.enterprise = '请填写企业名称，2 到 100 个字。'
  const contact = characters(draft.contact.trim())
  if (contact < 1 || contact > 40) problems.contact = '请填写联系人姓名，1 到 40 个字。'
  const phone = phoneProblem(draft.phone)
  if (phone) problems.phone = phone
  const text = characters(draft.text.trim())
  if (text === 0) problems.text = '请填写诉求内容。'
  else if (text > 5000) problems.text = '诉求内容太长，请控制在 5000 个字以内。'
  return problems
}

export function phoneProblem(phone: string): string | null {
  const digits = phone.normalize('NFKC').replace(/\D/g, '').length
  return digits < 7 || digits > 20 ? PHONE : null
}

export function useFiling(file: typeof fileAppeal = fileAppeal) {
  const draft = reactive<Draft>(storedDraft())
  const problems = ref<Problems>({})
  const failure = ref('')
  const busy = ref(false)
  const filed = ref<FiledGroup | null>(null)
  /** The appeal shown was filed from words that were changed afterwards. */
  const earlierWords = ref(false)

  watch(draft, (now) => keep('session', DRAFT, JSON.stringify(now)))

  async function submit(): Promise<void> {
    if (busy.value) return
    failure.value = ''
    problems.value = check(draft)
    if (Object.keys(problems.value).length) return
    busy.value = true
    try {
      const pending = storedPending() ?? { key: uuid(), uncertain: [] }
      done(await once(pending, content(pending.key)))
    } catch (error) {
      explain(error)
    } finally {
      busy.value = false
    }
  }

  function content(key: string): Filing {
    return {
      enterprise: draft.enterprise.trim(),
      contact: draft.contact.trim(),
      phone: draft.phone.trim(),
      text: draft.text.trim(),
      ...(draft.territory ? { territory: draft.territory } : {}),
      channel: 'portal',
      idempotency_key: key,
    }
  }

  async function once(pending: Pending, filing: Filing): Promise<FiledGroup> {
    const earlier = pending.uncertain.filter((other) => JSON.stringify(other) !== JSON.stringify(filing))
    // kept before it is sent: a page that is closed while it waits does not know what arrived
    keepPending({ key: pending.key, uncertain: [...earlier, filing] })
    earlierWords.value = false
    try {
      return await file(filing)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (!error.outcomeUnknown) keepPending({ key: pending.key, uncertain: earlier })
      if (error.status !== 409) throw error
      for (const other of earlier) {
        const group = await sameAgain(other)
        if (group) {
          earlierWords.value = true
          return group
        }
      }
      keepPending(null)
      throw error
    }
  }

  async function sameAgain(filing: Filing): Promise<FiledGroup | null> {
    try {
      return await file(filing)
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return null
      throw error
    }
  }

  function done(group: FiledGroup): void {
    filed.value = group
    keepPending(null)
    if (!earlierWords.value) draft.text = ''
  }

  function explain(error: unknown): void {
    const field = error instanceof ApiError ? error.details['field'] : undefined
    const name = FIELDS.find((known) => known === field)
    if (name) problems.value = { [name]: sentence(error) }
    else failure.value = sentence(error)
  }

  /** Makes the form ready for another appeal; who files stays filled in. */
  function another(): void {
    filed.value = null
    failure.value = ''
    problems.value = {}
    earlierWords.value = false
  }

  return { draft, problems, failure, busy, filed, earlierWords, submit, another }
}

/** The phone that was last typed into the form, in this session. */
export function draftPhone(): string {
  return storedDraft().phone
}

/** Forgets the draft and any filing whose outcome is unknown, for whoever sits here next. */
export function forgetDraft(): void {
  keep('session', DRAFT, null)
  keepPending(null)
}

function storedDraft(): Draft {
  const stored = parsed(kept('session', DRAFT))
  const text = (name: string) => (isRecord(stored) && typeof stored[name] === 'string' ? (stored[name] as string) : '')
  return {
    enterprise: text('enterprise'),
    contact: text('contact'),
    phone: text('phone'),
    territory: text('territory'),
    text: text('text'),
  }
}

function storedPending(): Pending | null {
  const stored = parsed(kept('session', PENDING))
  if (!isRecord(stored) || typeof stored['key'] !== 'string' || !Array.isArray(stored['uncertain'])) return null
  return stored as unknown as Pending
}

function keepPending(pending: Pending | null): void {
  keep('session', PENDING, pending ? JSON.stringify(pending) : null)
}

function parsed(json: string | null): unknown {
  try {
    return json ? JSON.parse(json) : null
  } catch {
    return null
  }
}
