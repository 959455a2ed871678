import { type Component, createApp, nextTick } from 'vue'

const mounted: (() => void)[] = []

/** Puts a component into the page; `unmountAll` takes them out again. */
export function mount(component: Component, props: Record<string, unknown> = {}): HTMLElement {
  const root = document.createElement('div')
  document.body.append(root)
  const app = createApp(component, props)
  app.mount(root)
  mounted.push(() => {
    app.unmount()
    root.remove()
  })
  return root
}

export function unmountAll(): void {
  while (mounted.length) mounted.pop()!()
  document.body.innerHTML = ''
  localStorage.clear()
  sessionStorage.clear()
}

export async function settled(): Promise<void> {
  for (let round = 0; round < 8; round += 1) await Promise.resolve()
  await nextTick()
}

export function named(root: ParentNode, name: string): HTMLElement {
  const found = root.querySelector<HTMLElement>(`[data-test="${name}"]`)
  if (!found) throw new Error(`nothing is called ${name}`)
  return found
}

export function allNamed(root: ParentNode, name: string): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>(`[data-test="${name}"]`)]
}

/** A promise that the test settles when it wants. */
export function pending<T>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
