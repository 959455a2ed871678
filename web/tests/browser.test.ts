import { afterEach, describe, expect, it, vi } from 'vitest'
import { copy, keep, kept, uuid } from '../src/shared/browser'
import { unmountAll } from './mounting'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  keep('session', 'x', null)
  unmountAll()
})

describe('keep', () => {
  it('keeps values apart by kind, and forgets them', () => {
    keep('session', 'x', '1')
    expect(kept('session', 'x')).toBe('1')
    expect(kept('local', 'x')).toBeNull()
    keep('session', 'x', null)
    expect(kept('session', 'x')).toBeNull()
  })

  it('keeps in memory what the browser refuses', () => {
    vi.stubGlobal('sessionStorage', {
      getItem: () => null,
      setItem: () => {
        throw new DOMException('full', 'QuotaExceededError')
      },
      removeItem: () => undefined,
    })
    keep('session', 'x', '1')
    expect(kept('session', 'x')).toBe('1')
  })
})

it('makes ids of the same form with and without TLS', () => {
  const form = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/
  expect(uuid()).toMatch(form)
  vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) })
  expect(uuid()).toMatch(form)
  expect(uuid()).not.toBe(uuid())
})

it('copies by selection where there is no clipboard, and says when neither works', async () => {
  vi.stubGlobal('navigator', {})
  const run = vi.fn(() => true)
  Object.assign(document, { execCommand: run })
  expect(await copy('QT')).toBe(true)
  expect(run).toHaveBeenCalledWith('copy')
  run.mockReturnValue(false)
  expect(await copy('QT')).toBe(false)
  expect(document.querySelector('textarea')).toBeNull()
})
