import { setImmediate } from 'node:timers/promises'

const sliceMs = 2

/** To be awaited between steps: gives other events on this loop their turn whenever the steps have taken 2 ms together. */
export function createPace(): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (performance.now() - since < sliceMs) return undefined
    return setImmediate().then(() => {
      since = performance.now()
    })
  }
}
