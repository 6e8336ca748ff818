const pauseMsMax = 30_000

/** How long to wait after so many failures in a row: longer each time, and spread, so that many do not come back at once. */
export function pauseAfter(failures: number, firstMs: number): number {
  return Math.min(pauseMsMax, firstMs * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)
}
