/** Whether the dialogue engine is there: asked often while it is away, seldom while it is there. */

import { onBeforeUnmount, onMounted, ref } from 'vue'
import { readiness as readinessCall } from '../api/portal'
import type { Readiness } from '../api/types'

export type Service = 'unknown' | 'ready' | 'away' | 'unreachable'

/** What a reading of `/readyz` means for the person at the page. */
export function service(readiness: Readiness): Service {
  const bot = readiness.parts?.['bot']
  return readiness.ready || bot === undefined || bot === 'ok' ? 'ready' : 'away'
}

export function useReadiness(ask: typeof readinessCall = readinessCall, often = 3_000, seldom = 60_000) {
  const state = ref<Service>('unknown')
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false

  async function look(): Promise<void> {
    clearTimeout(timer)
    try {
      state.value = service(await ask())
    } catch {
      state.value = 'unreachable'
    }
    if (!stopped) timer = setTimeout(look, state.value === 'ready' ? seldom : often)
  }

  const whenSeen = () => {
    if (document.visibilityState === 'visible') void look()
  }

  onMounted(() => {
    void look()
    document.addEventListener('visibilitychange', whenSeen)
  })
  onBeforeUnmount(() => {
    stopped = true
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', whenSeen)
  })

  return { state, look }
}
