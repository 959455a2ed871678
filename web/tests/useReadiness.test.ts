import { afterEach, expect, it, vi } from 'vitest'
import type { Readiness } from '../src/api/types'
import { useReadiness } from '../src/portal/useReadiness'
import { mount, unmountAll } from './mounting'

const away: Readiness = { ready: false, parts: { bot: 'unavailable' } }
const ready: Readiness = { ready: true, parts: { bot: 'ok' } }

afterEach(() => {
  unmountAll()
  vi.useRealTimers()
})

it('asks often until everything is there, then seldom, and never after the page is gone', async () => {
  vi.useFakeTimers()
  const ask = vi.fn<() => Promise<Readiness>>()
  ask.mockResolvedValueOnce(away).mockRejectedValueOnce(new Error('gone')).mockResolvedValue(ready)
  let state = { value: '' }
  mount({
    setup() {
      state = useReadiness(ask, 1_000, 60_000).state
      return () => null
    },
  })
  await vi.advanceTimersByTimeAsync(0)
  expect(state.value).toBe('away')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(state.value).toBe('unreachable')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(state.value).toBe('ready')
  await vi.advanceTimersByTimeAsync(59_000)
  expect(ask).toHaveBeenCalledTimes(3)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(ask).toHaveBeenCalledTimes(4)
  unmountAll()
  await vi.advanceTimersByTimeAsync(600_000)
  expect(ask).toHaveBeenCalledTimes(4)
})
