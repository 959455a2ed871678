/** The present conversation: sends, receives, and keeps what was said for this browser session only. */

import { computed, ref, watch } from 'vue'
import { sentence } from '../api/client'
import { chat as chatCall } from '../api/portal'
import type { Message, Outcome } from '../api/types'
import { keep, kept, uuid } from '../shared/browser'
import { type Action, isSending, liveTurn, reduce, restored, type Said, type Turn } from './conversation'

const SENDER = 'qifu.sender'
const TURNS = 'qifu.turns'

function knownSender(): string {
  const known = kept('local', SENDER)
  if (known && /^[\w-]{8,128}$/.test(known)) return known
  const fresh = uuid()
  keep('local', SENDER, fresh)
  return fresh
}

export function useConversation(chat: typeof chatCall = chatCall) {
  const sender = ref(knownSender())
  const turns = ref<Turn[]>(restored(kept('session', TURNS)))
  const sending = computed(() => isSending(turns.value))
  const live = computed(() => liveTurn(turns.value))

  watch(turns, (now) => keep('session', TURNS, now.length ? JSON.stringify(now) : null))

  function apply(action: Action): void {
    turns.value = reduce(turns.value, action)
  }

  async function deliver(id: string, payload: string): Promise<void> {
    const speaker = sender.value
    try {
      const reply = await chat(speaker, payload, id)
      if (speaker === sender.value) apply({ type: 'answer', id, reply })
    } catch (error) {
      if (speaker === sender.value) apply({ type: 'fail', id, problem: sentence(error) })
    }
  }

  /** Says something; false while an earlier message is still on its way. */
  function send(text: string, payload = text): boolean {
    if (sending.value || !payload.trim()) return false
    const id = uuid()
    apply({ type: 'send', id, text, payload })
    void deliver(id, payload)
    return true
  }

  function resend(id: string): void {
    const failed = turns.value.find((turn): turn is Said => turn.id === id && turn.who === 'person')
    if (!failed || failed.status !== 'failed' || sending.value) return
    apply({ type: 'resend', id })
    void deliver(id, failed.payload)
  }

  /** Shows something that the page itself has to say, such as an appeal that its form has filed. */
  function show(messages: Message[], outcome: Outcome): void {
    apply({ type: 'show', id: uuid(), messages, outcome })
  }

  /** Forgets the conversation and goes on as somebody new. */
  function restart(): void {
    sender.value = uuid()
    keep('local', SENDER, sender.value)
    apply({ type: 'clear' })
  }

  return { sender, turns, sending, live, send, resend, show, restart }
}
