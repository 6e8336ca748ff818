const marker = /^\[REDACTED:[a-z0-9][a-z0-9-]{0,63}\]$/

/** What stands where a value was. */
export function markerOf(rule: string): string {
  return `[REDACTED:${rule}]`
}

/** Redacting again must change nothing, so a value that is a marker already is left alone. */
export function isMarker(value: string): boolean {
  return value.length < 80 && marker.test(value)
}
