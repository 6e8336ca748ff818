import { isJsonObject } from './claims.ts'
import type { Place } from './surroundings.ts'

/**
 * The metadata services of clouds, which tell a machine where it is. Asked only where a configuration says so: on a network
 * that is not the cloud's, anybody may answer at that address.
 */

export const cloudProviders = ['aws', 'gcp', 'azure'] as const
export type CloudProvider = (typeof cloudProviders)[number]

export interface CloudSource {
  provider: CloudProvider
  /** `http://HOST[:PORT]`; the provider's own address where it is not given. */
  endpoint?: string | undefined
  /** For everything together. */
  timeoutMs?: number | undefined
}

export const timeoutMsDefault = 1000
const answerBytesMax = 64 * 1024
const word = /^[A-Za-z0-9][\w.-]{0,127}$/

export type CloudErrorCode = 'unreachable' | 'timeout' | 'refused' | 'not_metadata' | 'too_large'

/** The message never quotes the answer. */
export class CloudError extends Error {
  override readonly name = 'CloudError'
  readonly code: CloudErrorCode

  constructor(code: CloudErrorCode) {
    super(`the metadata service: ${code}`)
    this.code = code
  }
}

interface Answer {
  headers: NodeJS.Dict<string | string[]>
  text: string
}

type Ask = (path: string, headers: Record<string, string>, method?: 'GET' | 'PUT') => Promise<Answer>

/** Throws CloudError. */
export async function askCloud({ provider, endpoint, timeoutMs }: CloudSource): Promise<Place> {
  const { address, read } = clouds[provider]
  const signal = AbortSignal.timeout(timeoutMs ?? timeoutMsDefault)
  return read((path, headers, method = 'GET') =>
    ask({ url: new URL(path, endpoint ?? address), method, headers, signal }),
  )
}

const clouds: Record<CloudProvider, { address: string; read: (ask: Ask) => Promise<Place> }> = {
  aws: { address: 'http://169.254.169.254', read: readAws },
  gcp: { address: 'http://metadata.google.internal', read: readGcp },
  azure: { address: 'http://169.254.169.254', read: readAzure },
}

/** Instance Metadata Service version 2: a token first, which a request that somebody else makes us send cannot have. */
async function readAws(ask: Ask): Promise<Place> {
  const { text: token } = await ask('/latest/api/token', { 'x-aws-ec2-metadata-token-ttl-seconds': '60' }, 'PUT')
  if (!/^[A-Za-z0-9+/=_-]{1,512}$/.test(token)) throw new CloudError('not_metadata')
  const { text } = await ask('/latest/dynamic/instance-identity/document', { 'x-aws-ec2-metadata-token': token })
  const document = parseObject(text)
  return toPlace({ region: document.region, zone: document.availabilityZone })
}

/** The zone as `projects/NUMBER/zones/europe-west3-a`; its region is all but the last part. */
async function readGcp(ask: Ask): Promise<Place> {
  const { headers, text } = await ask('/computeMetadata/v1/instance/zone', { 'metadata-flavor': 'Google' })
  if (headers['metadata-flavor'] !== 'Google') throw new CloudError('not_metadata')
  const zone = text.trim().split('/').at(-1)
  return toPlace({ zone, region: zone?.replace(/-[a-z]$/, '') })
}

async function readAzure(ask: Ask): Promise<Place> {
  const { text } = await ask('/metadata/instance/compute?api-version=2021-02-01', { metadata: 'true' })
  const compute = parseObject(text)
  // A machine outside of all zones has an empty one.
  return toPlace({ region: compute.location, zone: compute.zone === '' ? undefined : compute.zone })
}

function toPlace({ region, zone }: { region: unknown; zone: unknown }): Place {
  if (!isWord(region) || (zone !== undefined && !isWord(zone))) throw new CloudError('not_metadata')
  return { region, ...(isWord(zone) ? { zone } : {}) }
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && word.test(value)
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (isJsonObject(value)) return value
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new CloudError('not_metadata')
}

interface Question {
  url: URL
  method: 'GET' | 'PUT'
  headers: Record<string, string>
  signal: AbortSignal
}

/** Without a proxy, whatever the environment says: the address means this machine's own neighbour. Redirects are not followed. */
async function ask({ url, method, headers, signal }: Question): Promise<Answer> {
  // Whoever reads a configuration knows the providers; few ask one, and HTTP takes its time to load.
  const { request } = await import('node:http')
  return new Promise((resolve, reject) => {
    const fail = () => reject(new CloudError(signal.aborted ? 'timeout' : 'unreachable'))
    const asked = request(url, { method, headers, signal, agent: false }, (response) => {
      const pieces: Buffer[] = []
      let bytes = 0
      response.on('error', fail)
      response.on('data', (piece: Buffer) => {
        bytes += piece.length
        pieces.push(piece)
        if (bytes <= answerBytesMax) return
        reject(new CloudError('too_large'))
        response.destroy()
      })
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new CloudError('refused'))
        else resolve({ headers: response.headers, text: Buffer.concat(pieces).toString() })
      })
    })
    asked.on('error', fail)
    asked.end()
  })
}
