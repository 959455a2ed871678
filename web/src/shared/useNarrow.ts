/** Whether the window is as narrow as a phone. */

import { onBeforeUnmount, onMounted, ref } from 'vue'

export function useNarrow(limit = 640) {
  const query = window.matchMedia(`(max-width: ${limit}px)`)
  const narrow = ref(query.matches)
  const follow = () => (narrow.value = query.matches)
  onMounted(() => query.addEventListener('change', follow))
  onBeforeUnmount(() => query.removeEventListener('change', follow))
  return narrow
}
