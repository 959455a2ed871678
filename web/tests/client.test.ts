import { afterEach, describe, expect, it, vi } from 'vitest'
import { ApiError, call, SENTENCES } from '../src/api/client'

function answering(status: number, body: string): void {
  vi.stubGlobal('fetch', vi.fn(async () => new Response(body, { status })))
}

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ApiError)
  return error as ApiError
}

afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

describe('call', () => {
  it('gives the parsed body of a success', async () => {
    answering(201, '{"group": "g"}')
    expect(await call('/x', { method: 'POST', body: {} })).toEqual({ group: 'g' })
  })

  it('sends JSON and nothing where there is no body', async () => {
    answering(200, '{}')
    await call('/x', { method: 'POST', body: { a: '中' } })
    await call('/y')
    const [first, second] = vi.mocked(fetch).mock.calls
    expect(first![1]).toMatchObject({ method: 'POST', body: '{"a":"中"}', headers: { 'Content-Type': 'application/json' } })
    expect(second![1]!.body).toBeUndefined()
  })

  it("passes the backend's own sentence, code and details on", async () => {
    answering(422, '{"error": {"code": "invalid_input", "message": "请填写企业名称。", "details": {"field": "enterprise"}}}')
    const error = await failure(call('/x'))
    expect(error.message).toBe('请填写企业名称。')
    expect([error.status, error.code, error.kind]).toEqual([422, 'invalid_input', 'refused'])
    expect(error.details).toEqual({ field: 'enterprise' })
    expect(error.outcomeUnknown).toBe(false)
  })

  it.each([
    [502, '<html>bad gateway</html>', SENTENCES.server],
    [500, '{"error": {}}', SENTENCES.server],
    [500, '[]', SENTENCES.server],
    [400, 'no', SENTENCES.refused],
    [429, '', SENTENCES.tooMany],
    [200, 'not json', SENTENCES.server],
  ])('has a sentence of its own for %i %s', async (status, body, words) => {
    answering(status, body)
    expect((await failure(call('/x'))).message).toBe(words)
  })

  it('takes an accepted status for an answer', async () => {
    answering(503, '{"ready": false}')
    expect(await call('/readyz', { accept: [503] })).toEqual({ ready: false })
  })

  it('tells a lost network from a slow answer', async () => {
    vi.stubGlobal('fetch', vi.fn(async () => Promise.reject(new TypeError('failed'))))
    const lost = await failure(call('/x'))
    expect([lost.message, lost.kind, lost.outcomeUnknown]).toEqual([SENTENCES.network, 'network', true])

    vi.useFakeTimers()
    vi.stubGlobal(
      'fetch',
      vi.fn(
        (_: string, init: RequestInit) =>
          new Promise((_resolve, reject) => init.signal!.addEventListener('abort', () => reject(new DOMException('', 'AbortError')))),
      ),
    )
    const slow = failure(call('/x', { timeout: 1000 }))
    await vi.advanceTimersByTimeAsync(1000)
    expect((await slow).message).toBe(SENTENCES.timeout)
  })
})
