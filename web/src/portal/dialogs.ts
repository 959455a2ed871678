/** Dialogs that are loaded when they are first needed, together with the parts of Element Plus they use. */

import { defineAsyncComponent } from 'vue'

const loaders = {
  filing: () => import('./components/FilingDialog.vue'),
  lookup: () => import('./components/LookupDialog.vue'),
  source: () => import('./components/SourceDrawer.vue'),
  restart: () => import('./components/RestartDialog.vue'),
}

export const FilingDialog = defineAsyncComponent(loaders.filing)
export const LookupDialog = defineAsyncComponent(loaders.lookup)
export const SourceDrawer = defineAsyncComponent(loaders.source)
export const RestartDialog = defineAsyncComponent(loaders.restart)

/** Loads all dialogs while nothing else is going on, so that they open at once and without a network. */
export function prefetchDialogs(): void {
  const start = () => Object.values(loaders).forEach((load) => void load().catch(() => undefined))
  if ('requestIdleCallback' in window) window.requestIdleCallback(start, { timeout: 3000 })
  else setTimeout(start, 1000)
}
