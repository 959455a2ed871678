/** The conversation on the page: what was said, what is under way, what failed. Pure; nothing is sent here. */

import type { ChatReply, Message, Outcome } from '../api/types'

export interface Said {
  id: string
  who: 'person'
  /** What is shown. */
  text: string
  /** What is sent: the text itself, or the payload of the button that was pressed. */
  payload: string
  status: 'sending' | 'sent' | 'failed'
  /** Why it failed, as a sentence. */
  problem?: string
}

export interface Answered {
  id: string
  who: 'assistant'
  messages: Message[]
  outcome: Outcome
}

export type Turn = Said | Answered

export type Action =
  | { type: 'send'; id: string; text: string; payload: string }
  | { type: 'resend'; id: string }
  | { type: 'answer'; id: string; reply: ChatReply }
  | { type: 'fail'; id: string; problem: string }
  | { type: 'show'; id: string; messages: Message[]; outcome: Outcome }
  | { type: 'clear' }

/** How many turns the page keeps; older ones are dropped from view and from the session. */
export const KEPT_TURNS = 200

export function reduce(turns: readonly Turn[], action: Action): Turn[] {
  switch (action.type) {
    case 'send':
      return limited([...turns, { id: action.id, who: 'person', text: action.text, payload: action.payload, status: 'sending' }])
    case 'resend': {
      // a message that is sent again stands where it now belongs: at the end
      const again = turns.find((turn): turn is Said => turn.id === action.id && turn.who === 'person')
      if (!again || again.status !== 'failed') return [...turns]
      return [...turns.filter((turn) => turn !== again), { ...again, status: 'sending', problem: undefined }]
    }
    case 'answer': {
      if (!turns.some((turn) => turn.id === action.id)) return [...turns]
      const messages = action.reply.messages.length
        ? action.reply.messages
        : [{ text: '没有收到回复内容，请换个说法再试一次。' }]
      return limited([
        ...turns.map((turn) => (turn.id === action.id && turn.who === 'person' ? { ...turn, status: 'sent' as const, problem: undefined } : turn)),
        { id: `${action.id}:reply`, who: 'assistant', messages, outcome: action.reply.outcome },
      ])
    }
    case 'fail':
      return turns.map((turn) =>
        turn.id === action.id && turn.who === 'person' ? { ...turn, status: 'failed' as const, problem: action.problem } : turn,
      )
    case 'show':
      return limited([...turns, { id: action.id, who: 'assistant', messages: action.messages, outcome: action.outcome }])
    case 'clear':
      return []
  }
}

function limited(turns: Turn[]): Turn[] {
  return turns.length > KEPT_TURNS ? turns.slice(-KEPT_TURNS) : turns
}

export function isSending(turns: readonly Turn[]): boolean {
  return turns.some((turn) => turn.who === 'person' && turn.status === 'sending')
}

/** The turn whose buttons can be pressed: the assistant's last one, while nothing was said after it. */
export function liveTurn(turns: readonly Turn[]): string | null {
  const last = turns[turns.length - 1]
  return last?.who === 'assistant' ? last.id : null
}

/** What a stored conversation is after a reload: a message that was on its way has an unknown fate. */
export function restored(json: string | null): Turn[] {
  if (!json) return []
  let stored: unknown
  try {
    stored = JSON.parse(json)
  } catch {
    return []
  }
  if (!Array.isArray(stored)) return []
  return stored.filter(isTurn).map((turn) =>
    turn.who === 'person' && turn.status === 'sending'
      ? { ...turn, status: 'failed' as const, problem: '页面刷新时这条消息还没有收到回复。' }
      : turn,
  )
}

function isTurn(value: unknown): value is Turn {
  if (typeof value !== 'object' || value === null) return false
  const turn = value as Partial<Said> & Partial<Answered>
  if (typeof turn.id !== 'string') return false
  return turn.who === 'person'
    ? typeof turn.text === 'string' && typeof turn.payload === 'string'
    : turn.who === 'assistant' && Array.isArray(turn.messages)
}
