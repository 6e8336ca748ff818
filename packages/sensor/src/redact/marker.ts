/** A marker names a rule, not a value: nothing that follows it is judged by it. */
export const markerStart = '[REDACTED:'

const everyMarker = /\[REDACTED:[a-z0-9][a-z0-9-]{0,63}\]/g
const marker = /^\[REDACTED:[a-z0-9][a-z0-9-]{0,63}\]$/

/** What stands where a value was. */
export function markerOf(rule: string): string {
  return `[REDACTED:${rule}]`
}

/** Redacting again must change nothing, so a value that is a marker already is left alone. */
export function isMarker(value: string): boolean {
  return value.length < 80 && marker.test(value)
}

interface Range {
  start: number
  end: number
}

/** Those of the ranges that neither lie in a marker of the text nor cut one. */
export function besideMarkers<T extends Range>(text: string, ranges: readonly T[]): T[] {
  const markers = Array.from(text.matchAll(everyMarker), (found) => ({
    start: found.index,
    end: found.index + found[0].length,
  }))
  return ranges.filter((range) => {
    const first = markers[firstAfter(markers, range.start)]
    if (first === undefined || first.start >= range.end) return true
    const last = markers[firstAfter(markers, range.end - 1)] ?? markers.at(-1)
    const isCut = first.start < range.start || (last !== undefined && last.start < range.end && last.end > range.end)
    return !isCut && range.end - range.start > first.end - first.start
  })
}

/** Index of the first marker that ends behind `at`. */
function firstAfter(markers: readonly Range[], at: number): number {
  let low = 0
  let high = markers.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((markers[middle]?.end ?? 0) > at) high = middle
    else low = middle + 1
  }
  return low
}
