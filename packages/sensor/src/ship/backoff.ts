const firstDelayMs = 200
const delayMaxMs = 30_000

/** How long to wait after the n-th refusal in a row (from 1): doubling, with full jitter, so that many shippers do not return together. */
export function delayAfter(attempts: number, random: () => number): number {
  return Math.ceil(Math.min(delayMaxMs, firstDelayMs * 2 ** (attempts - 1)) * random())
}
