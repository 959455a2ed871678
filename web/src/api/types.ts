/** What the backend's public API sends and takes; names are those of its OpenAPI description. */

export interface Citation {
  document: string
  section: string
  entry: string
}

export interface Button {
  title: string
  payload: string
}

export interface Link {
  name: string
  url?: string | null
}

export interface CardField {
  label: string
  value: string
  links?: Link[] | null
}

export interface EntryCard {
  type: 'entry'
  entry: string
  title: string
  board?: string | null
  fields: CardField[]
  source?: { document: string; section: string } | null
}

export type Level = 'simple' | 'single' | 'whistle'

/** What is shown of an appeal wherever it appears: in the conversation, after filing, on lookup. */
export interface AppealFields {
  number: string
  level: Level
  level_text?: string | null
  category?: string | null
  lead_department?: string | null
  co_departments?: string[] | null
  territory?: string | null
  state: string
  state_text?: string | null
  submitted_at?: string | null
  due_at?: string | null
  /** The appeal that goes on for this one. */
  merged_into?: string | null
}

export interface AppealCard extends AppealFields {
  type: 'appeal'
  text?: string | null
}

/** How far a conversation's form has come. */
export interface FormCard {
  type: 'form'
  title?: string | null
  step?: number | null
  total?: number | null
  fields?: CardField[] | null
}

export type Card = EntryCard | AppealCard | FormCard

export interface Message {
  text: string
  citations?: Citation[]
  buttons?: Button[]
  card?: Card | Record<string, unknown> | null
}

export type Outcome = 'answered' | 'clarifying' | 'unanswered' | 'form' | 'filed' | 'handoff' | 'chitchat'

export interface ChatReply {
  messages: Message[]
  outcome: Outcome
}

export interface Filing {
  enterprise: string
  contact: string
  phone: string
  text: string
  territory?: string
  channel: string
  idempotency_key?: string
}

export interface FiledAppeal extends AppealFields {
  text?: string | null
}

export interface FiledGroup {
  group: string
  appeals: FiledAppeal[]
}

export interface DepartmentReply {
  at: string
  department: string
  text: string
}

export interface HistoryLine {
  at: string
  event: string
  text: string
}

export interface Feedback {
  result: 'resolved' | 'unresolved'
  stars?: number | null
  comment?: string | null
  at?: string | null
}

export interface AppealView extends FiledAppeal {
  replies?: DepartmentReply[]
  history?: HistoryLine[]
  feedback?: Feedback | null
}

export interface Territory {
  id?: string
  name: string
  kind?: string | null
}

export interface Readiness {
  ready: boolean
  parts: Record<string, string>
}

/** What the portal shows about itself; every field may be missing. */
export interface PortalInfo {
  district?: string | null
  suggestions?: string[] | null
  hotline?: string | null
}
