import { join } from 'node:path'
import { type Document, isMap, parseDocument } from 'yaml'
import type { Client } from '../install/locations.ts'
import { toUpstreamName, toUpstreamUrl } from '../install/redirect.ts'
import { gatewaySchema, listenDefault } from './gateway-config.ts'
import { readIfThere } from './install-memory.ts'
import { formatListen, parseListen } from './listen-address.ts'

/**
 * The gateway's configuration in the home folder, as far as `install` reads and writes it: `listen`, and under `upstreams`
 * a name with its `url`. Everything else in the file stays, comments included.
 */
export interface GatewayUpstreams {
  path: string
  /** Undefined where there is no file yet. */
  before: Uint8Array | undefined
  /** Where clients reach the gateway, e.g. `http://127.0.0.1:7332`. */
  origin: string
  /** Why nothing can be added to it. */
  problem?: string
  speaksTls: boolean
  /** Names that were added by `claim`, and those that are taken. */
  added: string[]
  urlOf(upstream: string): string | undefined
  /** The name of an upstream for this URL: one that has it already, else a new one. Undefined where there is a problem. */
  claim(server: string, client: Client, url: URL): string | undefined
  remove(upstream: string): void
  /** The file with what was claimed and removed. */
  render(): Uint8Array
}

const freshText = `# Configuration of 'affidavit gateway'. Upstreams are added by 'affidavit install'; more may be added by hand.
listen: ${listenDefault}
upstreams: {}
`

export async function openUpstreams(home: string): Promise<GatewayUpstreams> {
  return toUpstreams(home, await readIfThere(pathIn(home)))
}

const pathIn = (home: string) => join(home, 'affidavit.yaml')

/** As `openUpstreams`, of a file that was read already, or is not there. */
export function toUpstreams(home: string, before: Uint8Array | undefined): GatewayUpstreams {
  const path = pathIn(home)
  const document: Document = parseDocument(before === undefined ? freshText : Buffer.from(before).toString('utf8'))
  const problem = findProblem(document)
  const speaksTls = document.errors.length === 0 && isMap(document.contents) && document.has('tls')
  const listen = readListen(document)
  const added: string[] = []
  const urlOf = (upstream: string) => {
    const url: unknown = problem === undefined ? document.getIn(['upstreams', upstream, 'url']) : undefined
    return typeof url === 'string' ? url : undefined
  }
  return {
    path,
    before,
    origin: `${speaksTls ? 'https' : 'http'}://${listen}`,
    speaksTls,
    ...(problem === undefined ? {} : { problem }),
    added,
    urlOf,
    claim(server, client, url) {
      if (problem !== undefined) return undefined
      const target = toUpstreamUrl(url)
      const name = chooseName(server, client, (each) => document.hasIn(['upstreams', each]) && urlOf(each) !== target)
      if (document.hasIn(['upstreams', name])) return name
      addUpstream(document, name, target)
      added.push(name)
      return name
    },
    remove: (upstream) => void document.deleteIn(['upstreams', upstream]),
    render: () => Buffer.from(document.toString({ lineWidth: 0 })),
  }
}

function findProblem(document: Document): string | undefined {
  if (document.errors.length > 0) return 'it is not YAML'
  const config: unknown = document.toJS() ?? {}
  const whole = typeof config === 'object' ? { upstreams: {}, ...config } : config
  if (!gatewaySchema.safeParse(whole).success)
    return "the gateway does not take it: 'affidavit gateway --check' says why"
  return document.has('tls') ? 'its gateway speaks TLS, whose certificate clients may not accept' : undefined
}

/** Host and port for clients on this machine: a gateway that listens everywhere is reached on loopback. */
function readListen(document: Document): string {
  const listen: unknown = document.errors.length === 0 && isMap(document.contents) ? document.get('listen') : undefined
  const { host, port } = parseListen(typeof listen === 'string' ? listen : listenDefault) ?? {
    host: '127.0.0.1',
    port: 7332,
  }
  return formatListen({ host: host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host, port })
}

function chooseName(server: string, client: Client, isTaken: (name: string) => boolean): string {
  const name = toUpstreamName(server)
  const candidates = [name, `${name}-${client}`]
  for (let n = 2; ; n++) {
    const free = candidates.find((candidate) => !isTaken(candidate))
    if (free !== undefined) return free
    candidates.push(`${name}-${client}-${n}`)
  }
}

/** `host: upstream`: the Host header becomes the upstream's own, as if the client had called it itself. */
function addUpstream(document: Document, name: string, url: string): void {
  const upstreams = document.get('upstreams', true)
  if (isMap(upstreams) && upstreams.items.length === 0) upstreams.flow = false
  if (!isMap(upstreams)) document.set('upstreams', document.createNode({}))
  document.setIn(['upstreams', name], document.createNode({ url, host: 'upstream' }))
}
