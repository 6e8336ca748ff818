import type { Connection } from '@affidavit/evidence/record/environment-section'
import type { CompletedHeader, RequestedHeader } from '@affidavit/evidence/record/header'
import type { Vantage } from '@affidavit/evidence/record/kinds'
import fc from 'fast-check'
import type { IndexedEntry } from '../sqlite/columns.ts'
import type { Surroundings } from '../surroundings.ts'

/**
 * Worlds in which it is known which records are of one call: clients reach servers by routes of several vantages, on
 * machines whose clocks differ; ids repeat, connections are pooled, answers are cut, sensors die, spools arrive late.
 */

export interface Hop {
  vantage: Vantage
  /** A process: those with one number are one process, with one stream. */
  process: number
  machine: number
  isRecorded: boolean
  tellsNetwork: boolean
}

export interface Route {
  era: 'legacy-http' | 'modern' | 'stdio'
  hops: Hop[]
}

export interface Plan {
  client: number
  /** By the route after the client's own. */
  isDetour: boolean
  /** All in microseconds. */
  atUs: number
  stepUs: number
  lastsUs: number
  hasTrace: boolean
  /** `cut`: what is outside of the innermost hop gives up after cutUs. `lost`: the sensors die. */
  end: 'answered' | 'cut' | 'open' | 'lost'
  cutUs: number
}

export interface World {
  routes: Route[]
  clients: { route: number; ids: 'counting' | 'constant' }[]
  calls: Plan[]
  /** By machine, how far its wall clock is off. */
  skewMs: number[]
}

/** An entry that waits for its place in the log, and which call it is of in truth. */
export interface Waiting {
  call: number
  hop: number
  stream: number
  entry: Omit<IndexedEntry, 'leaf'>
}

const startMs = Date.parse('2026-11-20T11:00:00.000Z')
export const uuid = (n: number) => `01968d1e-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const digest = (text: string) => `aabbccdd:${text}`
/** The collector's own stream. */
const collector = 99

const bases: Record<Vantage, number> = { client: 10, gateway: 20, server: 30 }
const toHop = (vantage: Vantage, n: number, told: { isRecorded: boolean; tellsNetwork: boolean }): Hop => ({
  vantage,
  process: bases[vantage] + n,
  machine: vantage === 'client' ? 0 : n % 2,
  ...told,
})

const hop = (vantage: Vantage, count: number) =>
  fc
    .tuple(fc.nat({ max: count - 1 }), fc.record({ isRecorded: fc.boolean(), tellsNetwork: fc.boolean() }))
    .map(([n, told]) => toHop(vantage, n, told))

const era = fc.constantFrom<Route['era']>('legacy-http', 'modern', 'stdio')
const route: fc.Arbitrary<Route> = fc.record({
  era,
  hops: fc
    .tuple(hop('client', 2), fc.array(hop('gateway', 3), { maxLength: 2 }), hop('server', 2))
    .map(([client, gateways, server]) => [
      client,
      ...gateways.filter((one, i) => gateways.findIndex(({ process }) => process === one.process) === i),
      server,
    ]),
})

/** Moments that are close to each other, or seconds apart. */
const moment = (max: number) => fc.oneof(fc.nat({ max }), fc.nat({ max: 30_000_000 }))
const planOf = (clients: number, us: (max: number) => fc.Arbitrary<number>): fc.Arbitrary<Plan> =>
  fc.record({
    client: fc.nat({ max: clients - 1 }),
    isDetour: fc.constant(false),
    atUs: us(40),
    stepUs: fc.nat({ max: 10 }),
    lastsUs: us(60),
    hasTrace: fc.boolean(),
    end: fc.constantFrom('answered', 'answered', 'answered', 'cut', 'open', 'lost'),
    cutUs: us(80),
  })

const manyRoutes: fc.Arbitrary<World> = fc.record({
  routes: fc.array(route, { minLength: 1, maxLength: 3 }),
  clients: fc.array(
    fc.record({ route: fc.nat({ max: 2 }), ids: fc.constantFrom<'counting' | 'constant'>('counting', 'constant') }),
    { minLength: 4, maxLength: 4 },
  ),
  calls: fc.array(planOf(4, moment), { maxLength: 12 }),
  skewMs: fc.tuple(fc.constant(0), fc.integer({ min: -900, max: 900 })),
})

/** One session whose client gives every request the same id, on one route where everything is recorded. */
const oneId: fc.Arbitrary<World> = fc.record({
  routes: fc
    .tuple(era, fc.subarray<Vantage>(['client', 'gateway', 'server'], { minLength: 2 }))
    .map(([era, seen]) => [
      { era, hops: seen.map((vantage) => toHop(vantage, 0, { isRecorded: true, tellsNetwork: true })) },
    ]),
  clients: fc.constant([{ route: 0, ids: 'constant' as const }]),
  calls: fc.array(
    planOf(1, (max) => fc.nat({ max: max / 2 })),
    { minLength: 2, maxLength: 4 },
  ),
  skewMs: fc.constant([0, 0]),
})

/** Gateways behind each other, which tell the connections between them. */
const chain: fc.Arbitrary<World> = fc.record({
  routes: era.map((era) => [
    { era, hops: (['client', 'gateway', 'gateway', 'gateway', 'server'] as const).map((vantage, i) =>
      toHop(vantage, i === 2 ? 2 : i === 3 ? 4 : 0, { isRecorded: vantage !== 'client', tellsNetwork: true })) },
  ]), // biome-ignore format: one route
  clients: fc.constant([{ route: 0, ids: 'counting' as const }]),
  calls: fc.array(planOf(1, moment), { minLength: 1, maxLength: 3 }),
  skewMs: fc.constant([0, 0]),
})

/** One session whose requests go by one or the other of two gateways to the same server, and may share ids. */
const replicas: fc.Arbitrary<World> = fc.record({
  routes: fc.constant([0, 2].map((n) => ({
    era: 'legacy-http' as const,
    hops: [
      toHop('client', 0, { isRecorded: false, tellsNetwork: false }),
      toHop('gateway', n, { isRecorded: true, tellsNetwork: false }),
      toHop('server', 0, { isRecorded: true, tellsNetwork: false }),
    ],
  }))),
  clients: fc.constantFrom([{ route: 0, ids: 'constant' as const }], [{ route: 0, ids: 'counting' as const }]),
  calls: fc.array(fc.tuple(planOf(1, moment), fc.boolean()), { minLength: 2, maxLength: 4 })
    .map((plans) => plans.map(([plan, isDetour]) => ({ ...plan, isDetour }))),
  skewMs: fc.constant([0, 0]),
}) // biome-ignore format: one world

export const anyWorld: fc.Arbitrary<World> = fc.oneof(manyRoutes, oneId, chain, replicas)

/**
 * Nothing out of the ordinary: several clients of one era on one machine, each counting its requests, and every call
 * answered. `isTold`: each hop tells its connections, or every request is a span of its own.
 */
export function ordinary(isTold: 'told' | 'not told'): fc.Arbitrary<World> {
  const told = { isRecorded: true, tellsNetwork: isTold === 'told' }
  const seen = fc.subarray<Vantage>(['client', 'gateway', 'server'], { minLength: 2 })
  const plans = (hasTrace: boolean) =>
    planOf(3, moment).map((plan) => ({ ...plan, hasTrace, end: 'answered' as const }))
  const sources =
    isTold === 'told' ? fc.constantFrom<Route['era']>('legacy-http', 'modern') : fc.constant<Route['era']>('modern')
  return fc
    .tuple(sources, seen, isTold === 'told' ? fc.boolean() : fc.constant(false))
    .chain(([era, vantages, hasTrace]) => fc.record({
      routes: fc.constant([{ era, hops: vantages.map((vantage) => toHop(vantage, 0, told)) }]),
      clients: fc.constant([0, 1, 2].map(() => ({ route: 0, ids: 'counting' as const }))),
      calls: fc.array(plans(hasTrace), { minLength: 1, maxLength: 10 }),
      skewMs: fc.constant([0, 0]),
    })) // biome-ignore format: one world
}

interface Span {
  startUs: number
  /** Undefined while it is open. */
  endUs: number | undefined
  outcome: 'success' | 'cancelled' | undefined
}

/** When the call passes each hop: inwards by steps, and out again. */
function spansOf({ hops }: Route, plan: Plan): Span[] {
  const last = hops.length - 1
  return hops.map((_, i) => {
    const startUs = plan.atUs + i * plan.stepUs
    if (plan.end === 'open' || plan.end === 'lost') return { startUs, endUs: undefined, outcome: undefined }
    if (plan.end === 'cut' && i < last) return { startUs, endUs: startUs + plan.cutUs, outcome: 'cancelled' }
    const endUs = plan.atUs + last * plan.stepUs + plan.lastsUs + (last - i) * plan.stepUs
    return { startUs, endUs, outcome: 'success' }
  })
}

/** Every record of the world, per stream in the order it was written. */
export function recordsOf(world: World): Waiting[] {
  const waiting: (Waiting & { atUs: number })[] = []
  const counters = world.clients.map(() => 0)
  const pool = createPool()
  const inTime = world.calls.map((plan, call) => ({ plan, call })).sort((a, b) => a.plan.atUs - b.plan.atUs)
  for (const { plan, call } of inTime) {
    const client = world.clients[plan.client]
    const route = world.routes[((client?.route ?? 0) + (plan.isDetour ? 1 : 0)) % world.routes.length]
    if (client === undefined || route === undefined) continue
    const id = client.ids === 'constant' ? 1 : (counters[plan.client] ?? 0)
    counters[plan.client] = id + 1
    const spans = spansOf(route, plan)
    const ports = route.hops.map((_, i) => pool(route, i, spans))
    for (const [i, hop] of route.hops.entries()) {
      const span = spans[i]
      if (!hop.isRecorded || span === undefined) continue
      const at = { world, route, plan, call, hop, i, id, ports, span }
      waiting.push({ call, hop: i, stream: hop.process, entry: requestedEntry(at), atUs: span.startUs })
      if (plan.end === 'lost') {
        // The collector writes it some time later.
        const entry = completedEntry({ ...at, span: { ...span, endUs: span.startUs + 5_000_000 } }, collector)
        waiting.push({ call, hop: i, stream: collector, entry, atUs: span.startUs + 5_000_000 })
      } else if (span.endUs !== undefined)
        waiting.push({ call, hop: i, stream: hop.process, entry: completedEntry(at, hop.process), atUs: span.endUs })
    }
  }
  // A request and its end at one moment keep their order.
  return waiting
    .map((one, order) => ({ one, order }))
    .sort((a, b) => a.one.atUs - b.one.atUs || a.order - b.order)
    .map(({ one: { atUs: _, ...rest } }) => rest)
}

/** One connection carries one call at a time (HTTP/1.1), and none after a call on it was cut. Numbers are ports. */
function createPool() {
  const busyUntil = new Map<string, number>()
  return ({ hops }: Route, i: number, spans: Span[]): number => {
    const [outer, inner] = [hops[i], hops[i + 1]]
    if (outer === undefined || inner === undefined) return 0
    const from = spans[i]?.startUs ?? 0
    const isWhole = spans[i]?.outcome === 'success'
    const until = isWhole ? Math.max(spans[i]?.endUs ?? 0, spans[i + 1]?.endUs ?? 0) : Number.POSITIVE_INFINITY
    for (let port = 40_000; ; port++) {
      const name = `${outer.process} ${inner.process} ${port}`
      if ((busyUntil.get(name) ?? -1) >= from) continue
      busyUntil.set(name, until)
      return port
    }
  }
}

interface At {
  world: World
  route: Route
  plan: Plan
  call: number
  hop: Hop
  i: number
  id: number
  ports: number[]
  span: Span
}

const headerHash = (call: number, i: number) => new Uint8Array(32).fill(call * 8 + i)
const sessionOf = ({ plan }: At) => digest(`session-${plan.client}`)
const traceOf = ({ call }: At) => call.toString(16).padStart(32, 'a')

function coreOf({ world, hop }: At, us: number, stream: number) {
  const skew = world.skewMs[hop.machine] ?? 0
  return {
    v: 1 as const, tenant: 'default', epoch: '2026q4', streamId: uuid(stream), seq: 0, bootId: uuid(1000 + hop.machine),
    time: new Date(startMs + skew + Math.floor(us / 1000)).toISOString(), monotonicUs: us + 7_000_000 * hop.machine, sections: {},
  } // biome-ignore format: one record
}

function requestedEntry(at: At): Omit<IndexedEntry, 'leaf'> {
  const { route, plan, call, hop, i, id, span } = at
  const trace = plan.hasTrace ? { traceId: traceOf(at), spanId: 'b'.repeat(16) } : {}
  const header: RequestedHeader = {
    ...coreOf(at, span.startUs, hop.process),
    kind: 'call', stage: 'requested', vantage: hop.vantage, direction: 'to-server', callId: uuid(call * 8 + i),
    ...sessionFields(at), ...trace, method: 'tools/call', requestIdDigest: digest(String(id)),
    server: { name: `server as ${hop.process} calls it` }, tool: { name: 'read_file', definition: base64(headerHash(0, 0)) },
    effect: 'unknown', level: 'arguments', inputBytes: 100, classification: { level: 'unclassified', tags: [] },
    decision: { disposition: 'undecided', mode: 'observe' },
  } // biome-ignore format: one record
  const network = hop.tellsNetwork && route.era !== 'stdio' && i > 0 ? [connection(at, 'client')] : []
  return { ...rest(at, header), surroundings: surroundingsOf(at, network) }
}

function sessionFields(at: At): Pick<RequestedHeader, 'sessionSource' | 'sessionId' | 'sessionReason'> {
  const { route, plan, hop } = at
  if (route.era === 'legacy-http') return { sessionSource: 'legacy-http', sessionId: sessionOf(at) }
  if (route.era === 'stdio') return { sessionSource: 'legacy-stdio', sessionId: uuid(plan.client * 100 + hop.process) }
  if (plan.hasTrace) return { sessionSource: 'trace', sessionId: traceOf(at) }
  return { sessionSource: 'absent', sessionReason: 'stateless' }
}

function completedEntry(at: At, stream: number): Omit<IndexedEntry, 'leaf'> {
  const { route, call, hop, i, span } = at
  const isAnswered = span.outcome === 'success'
  const header: CompletedHeader = {
    ...coreOf(at, span.endUs ?? 0, stream),
    kind: 'call', stage: 'completed', callId: uuid(call * 8 + i), requestedHash: base64(headerHash(call, i)),
    outcome: span.outcome ?? 'unknown', ...(isAnswered ? { responseBytes: 10, latencyUs: 5 } : {}),
  } // biome-ignore format: one record
  const isTold = isAnswered && hop.tellsNetwork && route.era !== 'stdio' && i < route.hops.length - 1
  const network = isTold ? [connection(at, 'server')] : undefined
  return { ...rest(at, header), surroundings: network && { network } }
}

function rest({ call, i }: At, header: IndexedEntry['header']) {
  return { header, headerHash: headerHash(call, i), envelope: { v: 1 as const, observedTime: header.time }, actor: {} }
}

/** Loopback where both ends are on one machine. */
function connection({ route, i, ports }: At, peer: Connection['peer']): Connection {
  const outer = peer === 'server' ? i : i - 1
  const [near, far] = [route.hops[outer], route.hops[outer + 1]]
  const isLocal = near?.machine === far?.machine
  const address = (hop: Hop | undefined) => (isLocal ? '127.0.0.1' : `10.0.0.${(hop?.machine ?? 0) + 1}`)
  const clientEnd = { address: address(near), port: (ports[outer] ?? 0) + 1000 * (near?.process ?? 0) }
  const serverEnd = { address: address(far), port: 3000 + (far?.process ?? 0) }
  const [local, remote] = peer === 'server' ? [clientEnd, serverEnd] : [serverEnd, clientEnd]
  return {
    peer, protocol: 'tcp', localAddress: local.address, localPort: local.port, remoteAddress: remote.address, remotePort: remote.port,
  } // biome-ignore format: one connection
}

/** On stdio each client has processes of its own; every second server is started by way of a launcher. */
function surroundingsOf({ route, plan, hop, i }: At, network: Connection[]): Surroundings {
  const host = `machine ${hop.machine}`
  if (route.era !== 'stdio') return { host, sensorPid: hop.process, network }
  const pid = (at: number) => 1_000 * (plan.client + 1) + 10 * at
  const launcher = route.hops.length - 1 === i + 1 && plan.client % 2 === 1 ? 1 : 0
  const isLaunched = hop.vantage === 'server' && plan.client % 2 === 1
  return {
    host,
    sensorPid: pid(i),
    clientPid: isLaunched ? pid(i) + 1 : pid(i - 1),
    ...(i < route.hops.length - 1 ? { serverPid: pid(i + 1) + launcher } : {}),
    network,
  }
}
