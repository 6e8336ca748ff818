/** How figures look on a terminal; JSON and CSV carry the exact ones. */

/** `2026-11-20 11:03:40.123`, UTC. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('T', ' ').slice(0, -1)
}

/** Microseconds as `0.4 ms`, `12 ms`, `3.2 s`, `4 min`. */
export function formatLatency(us: number): string {
  if (us < 10_000) return `${(us / 1000).toFixed(1)} ms`
  if (us < 1_000_000) return `${Math.round(us / 1000)} ms`
  if (us < 100_000_000) return `${(us / 1_000_000).toFixed(1)} s`
  return `${Math.round(us / 60_000_000)} min`
}

/** Bytes as `512 B`, `4.2 kB`, `12 MB`; powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** Milliseconds as `12 s`, `5 min`, `3 h`, `9 d`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** `1,234,567` */
export function formatCount(count: number | bigint): string {
  return count.toLocaleString('en-US')
}

/** `1 entry`, `2 entries`. */
export function formatNumberOf(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

/** Last digits of a UUID: version 7 starts with the time, which neighbours share. */
export function shortenId(id: string): string {
  return id.slice(-8)
}

/** `127.0.0.1:3001`, `[::1]:3001`, or the path of a Unix socket, which has no port. */
export function formatEnd(address: string, port: number): string {
  if (port === 0) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
