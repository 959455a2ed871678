/** One way to call the backend: JSON in, JSON out, and every failure a plain sentence. */

export type Failure = 'network' | 'timeout' | 'server' | 'refused'

/** A call that did not succeed; `message` is a sentence that can be shown as it is. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly kind: Failure,
    readonly status = 0,
    readonly code = '',
    readonly details: Record<string, unknown> = {},
  ) {
    super(message)
    this.name = 'ApiError'
  }

  /** Whether the backend may have carried the request out although no answer came. */
  get outcomeUnknown(): boolean {
    return this.kind !== 'refused'
  }
}

export const SENTENCES = {
  network: '网络好像断开了，请检查网络后再试。',
  timeout: '等了很久没有收到回复，请稍后再试。',
  server: '服务暂时出了问题，请稍后再试。',
  refused: '这个请求没有被接受，请检查后再试。',
  tooMany: '操作太频繁了，请稍等一会儿再试。',
} as const

export interface CallOptions {
  method?: 'GET' | 'POST'
  body?: unknown
  timeout?: number
  /** Statuses besides 2xx whose body is an answer, not an error. */
  accept?: number[]
}

/**
 * Calls the backend.
 *
 * @param path Path from the site's root, such as `/api/v1/territories`.
 * @throws ApiError for a refusal, a broken answer, no answer in time or no network.
 */
export async function call<T>(path: string, options: CallOptions = {}): Promise<T> {
  const { method = 'GET', body, timeout = 15_000, accept = [] } = options
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), timeout)
  let response: Response
  let text: string
  try {
    response = await fetch(path, {
      method,
      signal: controller.signal,
      credentials: 'same-origin',
      headers: body === undefined ? { Accept: 'application/json' } : { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    text = await response.text()
  } catch {
    throw controller.signal.aborted
      ? new ApiError(SENTENCES.timeout, 'timeout')
      : new ApiError(SENTENCES.network, 'network')
  } finally {
    clearTimeout(timer)
  }
  const parsed = parse(text)
  if (response.ok || accept.includes(response.status)) {
    if (parsed === undefined) throw new ApiError(SENTENCES.server, 'server', response.status)
    return parsed as T
  }
  throw refusal(response.status, parsed)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusal(status: number, body: unknown): ApiError {
  const kind: Failure = status >= 500 ? 'server' : 'refused'
  const error = isRecord(body) && isRecord(body['error']) ? body['error'] : {}
  const own = status === 429 ? SENTENCES.tooMany : SENTENCES[kind]
  const message = typeof error['message'] === 'string' && error['message'].trim() ? error['message'] : own
  const code = typeof error['code'] === 'string' ? error['code'] : ''
  return new ApiError(message, kind, status, code, isRecord(error['details']) ? error['details'] : {})
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The sentence to show for anything that was thrown. */
export function sentence(error: unknown): string {
  return error instanceof ApiError ? error.message : SENTENCES.server
}
