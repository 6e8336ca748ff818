import type { Connection } from '@affidavit/evidence/record/environment-section'
import type { CompletedHeader, Header, RequestedHeader } from '@affidavit/evidence/record/header'
import type { Vantage } from '@affidavit/evidence/record/kinds'
import { sha256 } from '@affidavit/sensor/crypto/node'
import type { Surroundings } from './surroundings.ts'

/**
 * Which end of a hop the record with this link saw: `clientSide` names the peer nearer the server, `serverSide` the one
 * nearer the client, and a hop has one of each. `either`: both ends name the same. `hint`: suggests, proves nothing.
 */
export const linkRoles = ['either', 'clientSide', 'serverSide', 'hint'] as const
export type LinkRole = (typeof linkRoles)[number]

/**
 * What two records of one exchange have in common beside its request id (docs/RECORD.md, "One call seen from several
 * vantages"). Names of one `machine` mean something beside its identity only.
 */
export interface Link {
  role: LinkRole
  name: string
  scope: 'tenant' | 'machine'
}

/** What a link is looked up by, for one call. */
export interface CallKeys {
  /** Digest of direction and request id (toRequestKey). */
  request: Uint8Array
  /** Digest of the machine (toMachineKey); undefined where its name is not known. */
  machine: Uint8Array | undefined
}

const utf8 = new TextEncoder()
const keyBytes = 16

export function linksOf(header: Header, surroundings: Surroundings | undefined): Link[] {
  if (!('stage' in header)) return []
  const isRequest = header.stage === 'requested'
  const named = isRequest ? linksOfRequest(header) : linksOfAnswer(header)
  // What a program tells of its connections and processes is no kernel's word.
  if (header.reported !== undefined || surroundings === undefined) return named
  const processes = isRequest ? linksOfProcesses(surroundings, header.vantage) : []
  return [...named, ...surroundings.network.flatMap(linkOfConnection), ...processes]
}

function linksOfRequest({ sessionSource, sessionId, traceId, spanId }: RequestedHeader): Link[] {
  const isLegacy = sessionSource === 'legacy-http' || sessionSource === 'legacy-stdio'
  return [
    ...(sessionSource === 'legacy-http' && sessionId !== undefined ? [linkOfSession(sessionId)] : []),
    ...(traceId === undefined || spanId === undefined ? [] : [either(`span ${traceId} ${spanId}`)]),
    ...(isLegacy ? [] : [{ role: 'hint', name: '', scope: 'tenant' } as const]),
  ]
}

function linksOfAnswer({ sessionId }: CompletedHeader): Link[] {
  return sessionId === undefined ? [] : [linkOfSession(sessionId)]
}

function linkOfSession(sessionId: string): Link {
  return either(`session ${sessionId}`)
}

function either(name: string): Link {
  return { role: 'either', name, scope: 'tenant' }
}

/** The same name from both ends of a TCP connection. Unix sockets have paths, which many connections share. */
function linkOfConnection(connection: Connection): Link[] {
  if (connection.protocol !== 'tcp') return []
  const local = formatEnd(connection.localAddress, connection.localPort)
  const remote = formatEnd(connection.remoteAddress, connection.remotePort)
  const isServer = connection.peer === 'server'
  const name = isServer ? `tcp ${local} ${remote}` : `tcp ${remote} ${local}`
  return [{ role: isServer ? 'clientSide' : 'serverSide', name, scope: isLoopback(local) ? 'machine' : 'tenant' }]
}

function formatEnd(address: string, port: number): string {
  // An IPv4 peer of a socket that listens on IPv6 too (RFC 4291 §2.5.5.2).
  return `${address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')} ${port}`
}

function isLoopback(end: string): boolean {
  return end.startsWith('127.') || end.startsWith('::1 ')
}

/**
 * On stdio: the process that a wrapper started, and the one a server is. One that was started by way of a launcher (npx, a
 * shell) has the launcher for its parent. A server without a parent that is its client does not speak stdio.
 */
function linksOfProcesses({ sensorPid, clientPid, serverPid }: Surroundings, vantage: Vantage): Link[] {
  const link = (role: LinkRole, pid: number | undefined): Link[] =>
    pid === undefined ? [] : [{ role, name: `process ${pid}`, scope: 'machine' }]
  if (vantage !== 'server') return link('clientSide', serverPid)
  return clientPid === undefined ? [] : [...link('serverSide', sensorPid), ...link('serverSide', clientPid)]
}

const requestKeys = new WeakMap<RequestedHeader, Uint8Array>()

export function toRequestKey(header: RequestedHeader): Uint8Array {
  const known = requestKeys.get(header)
  if (known !== undefined) return known
  const key = digest(`request\n${header.direction}\n${header.requestIdDigest}`)
  requestKeys.set(header, key)
  return key
}

let machine: { name: string; key: Uint8Array } | undefined

/** Containers share their kernel's boot id, and have names of their own. */
export function toMachineKey({ bootId }: Header, surroundings: Surroundings | undefined): Uint8Array | undefined {
  if (surroundings?.host === undefined) return undefined
  const name = `machine\n${bootId}\n${surroundings.host}`
  // Nearly always that of the call before.
  if (machine?.name !== name) machine = { name, key: digest(name) }
  return machine.key
}

/** Undefined where the link means nothing, because its machine is not known. */
export function toLinkKey({ name, scope }: Link, { request, machine }: CallKeys): Uint8Array | undefined {
  if (scope === 'tenant') return digest(`link\n${name}\n`, request)
  return machine === undefined ? undefined : digest(`link\n${name}\n`, request, machine)
}

function digest(text: string, ...parts: Uint8Array[]): Uint8Array {
  return sha256(utf8.encode(text), ...parts).subarray(0, keyBytes)
}
