import { type Extracted, nothingNamed, type Parts, unreadable } from './named.ts'

const schemes: Readonly<Record<string, string>> = {
  s3: 's3', s3a: 's3', s3n: 's3', gs: 'gs', gcs: 'gs', az: 'az', azure: 'az', abfs: 'az', abfss: 'az', wasb: 'az', wasbs: 'az',
} // biome-ignore format: one list, read as one
const arn = /^arn:aws[\w-]*:s3:::(.+)$/

/** `bucket`, `key` and `scheme` apart, or the whole: `s3://`, `gs://`, `az://`, an ARN, or the address over HTTPS. */
export function extractBucket({ text, scheme = 's3', bucket, key }: Parts): Extracted {
  if (text === undefined)
    return bucket === undefined || bucket === '' ? nothingNamed : nameBucket(scheme, bucket, key ?? '')
  const trimmed = text.trim()
  if (trimmed === '') return nothingNamed
  const [, ofArn] = arn.exec(trimmed) ?? []
  if (ofArn !== undefined) return nameBucket('s3', ...splitOnce(ofArn))
  if (!trimmed.includes('://')) return nameBucket(scheme, ...splitOnce(trimmed))
  return URL.canParse(trimmed) ? ofUrl(new URL(trimmed)) : unreadable('bucket_unreadable')
}

function ofUrl(url: URL): Extracted {
  const scheme = schemes[url.protocol.slice(0, -1)]
  const path = url.pathname.replace(/^\/+/, '')
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:'
  if (scheme === undefined) return isWeb ? ofAddress(url.hostname.toLowerCase(), path) : unreadable('bucket_unreadable')
  // abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY
  const [account = ''] = url.hostname.split('.')
  return scheme === 'az' && url.username !== ''
    ? nameBucket('az', account, `${url.username}/${path}`)
    : nameBucket(scheme, url.hostname, path)
}

/** Signatures and tokens stand in the query of such an address, and are no part of the name. */
function ofAddress(host: string, path: string): Extracted {
  const [, bucketOfHost] =
    /^(.+)\.s3[.-][a-z0-9.-]*amazonaws\.com$/.exec(host) ?? /^(.+)\.s3\.amazonaws\.com$/.exec(host) ?? []
  if (bucketOfHost !== undefined) return nameBucket('s3', bucketOfHost, path)
  if (/^s3[.-](?:[a-z0-9.-]+\.)?amazonaws\.com$/.test(host)) return nameBucket('s3', ...splitOnce(path))
  if (host === 'storage.googleapis.com' || host === 'storage.cloud.google.com')
    return nameBucket('gs', ...splitOnce(path))
  const [, ofGoogle] = /^(.+)\.storage\.googleapis\.com$/.exec(host) ?? []
  if (ofGoogle !== undefined) return nameBucket('gs', ofGoogle, path)
  const [, account] = /^([a-z0-9]+)\.(?:blob|dfs)\.core\.windows\.net$/.exec(host) ?? []
  return account === undefined ? unreadable('bucket_unreadable') : nameBucket('az', account, path)
}

function nameBucket(scheme: string, bucket: string, key: string): Extracted {
  if (bucket === '') return unreadable('bucket_unreadable')
  const known = schemes[scheme.toLowerCase()] ?? scheme.toLowerCase()
  return { named: [{ type: 'uri', name: `${known}://${bucket}${key === '' ? '' : `/${key.replace(/^\/+/, '')}`}` }] }
}

function splitOnce(text: string): [string, string] {
  const slash = text.indexOf('/')
  return slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)]
}
