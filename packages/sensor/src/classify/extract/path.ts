import { posix } from 'node:path'
import { type Extracted, nothingNamed, type Parts } from './named.ts'
import { decodePercent } from './percent.ts'

const drive = /^[A-Za-z]:(?=[\\/]|$)/

/** `folder` and `file` apart, or the whole. */
export function extractPath({ text, folder, file }: Parts): Extracted {
  const whole = text ?? [folder, file].filter((part) => part !== undefined && part !== '').join('/')
  return whole === '' ? nothingNamed : { named: [{ type: 'path', name: normalisePath(whole) }] }
}

/**
 * A path as the file system would take it, as far as the text tells: `.` and `..` resolved, `file:` URIs and backslashes of
 * Windows as paths with slashes. What a rule says of `/srv/hr/**` must hold for `/srv/public/../hr/x` too. Links are not followed.
 */
export function normalisePath(text: string): string {
  const path = fromFileUri(text) ?? text
  const isWindows = drive.test(path) || path.startsWith('\\\\')
  const slashed = isWindows ? path.replaceAll('\\', '/') : path
  const isShare = slashed.startsWith('//') && (isWindows || path !== text)
  // posix.normalize takes a leading double slash for a single one; of a share on another machine it is the name.
  const share = isShare ? '/' : ''
  const normal = share + posix.normalize(slashed)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}

function fromFileUri(text: string): string | undefined {
  if (!/^file:/i.test(text) || !URL.canParse(text)) return undefined
  const { hostname, pathname } = new URL(text)
  const path = decodePercent(pathname)
  if (hostname !== '' && hostname !== 'localhost') return `//${hostname}${path}`
  return drive.test(path.slice(1)) ? path.slice(1) : path
}
