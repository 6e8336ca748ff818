/** How many records a flood of refusals makes: the first of a minute one each, the rest one per code with a count. */

export const singleRefusalsMax = 10
const windowMs = 60_000

export interface Counted<Code extends string> {
  code: Code
  count: number
}

export interface RefusalRation<Code extends string> {
  /** Whether this one is told by itself; else it was counted. */
  take(code: Code, nowMs: number): boolean
  /** Counts refusals that were to be told by themselves and could not be. */
  add(code: Code, count: number): void
  /** What was counted since the last time, one for each code. */
  drain(): Counted<Code>[]
}

/** Bounded by the number of codes, which is a closed set. Nothing is left out: every refusal is told or counted. */
export function createRefusalRation<Code extends string>(): RefusalRation<Code> {
  const windows = new Map<Code, { startMs: number; told: number }>()
  const counts = new Map<Code, number>()
  const add = (code: Code, count: number) => void counts.set(code, (counts.get(code) ?? 0) + count)
  return {
    add,
    take(code, nowMs) {
      const window = windows.get(code)
      if (window === undefined || nowMs < window.startMs || nowMs - window.startMs >= windowMs) {
        windows.set(code, { startMs: nowMs, told: 1 })
        return true
      }
      if (window.told < singleRefusalsMax) {
        window.told++
        return true
      }
      add(code, 1)
      return false
    },
    drain() {
      const drained = [...counts].map(([code, count]) => ({ code, count }))
      counts.clear()
      return drained
    },
  }
}
