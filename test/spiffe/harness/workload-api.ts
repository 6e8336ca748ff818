import { join } from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import type { Authority, Certified } from './authority.ts'
import { issue, mintJwtSvid, privateKeyOf } from './authority.ts'

/** A SPIFFE Workload API as SPIRE's agent serves it, from the protocol's own definition. */
export interface WorkloadApiServer {
  /** What streams are given from now on, and those that are open at once; `denied`: PERMISSION_DENIED. */
  give(svids: readonly Given[] | 'denied'): void
  stop(): void
  /** What clients sent with their requests. */
  readonly metadata: readonly grpc.Metadata[]
  /** The JWT-SVIDs that were made. */
  readonly tokens: readonly string[]
  /** In base64. */
  readonly keys: readonly string[]
}

export interface Given {
  spiffeId: string
  chain: readonly Certified[]
  bundle: readonly Certified[]
  /** Another key than the certificate's. */
  wrongKey?: Certified
}

interface Definition {
  SpiffeWorkloadAPI: grpc.ServiceClientConstructor
}

const proto = loadSync(join(import.meta.dirname, 'workload.proto'), { keepCase: true })
const { SpiffeWorkloadAPI } = grpc.loadPackageDefinition(proto) as unknown as Definition

type Stream = grpc.ServerWritableStream<object, object>

export async function startWorkloadApi(
  path: string,
  { authority, svids = [] }: { authority: Authority; svids?: readonly Given[] | 'denied' },
): Promise<WorkloadApiServer> {
  const streams = new Set<Stream>()
  const metadata: grpc.Metadata[] = []
  const tokens: string[] = []
  const keys: string[] = []
  let given = svids
  const denied = { code: grpc.status.PERMISSION_DENIED, details: 'no identity issued' }
  const send = async (stream: Stream) => {
    if (given === 'denied') {
      stream.emit('error', denied)
      return
    }
    const members = await Promise.all(
      given.map(async ({ spiffeId, chain, bundle, wrongKey }) => {
        const [leaf] = chain
        const owner = wrongKey ?? leaf
        if (owner === undefined) throw new Error('no leaf')
        const key = (await privateKeyOf(owner.keys)).export({ type: 'pkcs8', format: 'der' })
        keys.push(key.toString('base64'))
        const concat = (all: readonly Certified[]) => Buffer.concat(all.map(({ der }) => der))
        return { spiffe_id: spiffeId, x509_svid: concat(chain), x509_svid_key: key, bundle: concat(bundle) }
      }),
    )
    stream.write({ svids: members, crl: [], federated_bundles: {} })
  }
  /** SPIFFE Workload Endpoint §5: without it, whoever asks could be a browser. */
  const isMarked = (call: { metadata: grpc.Metadata }) => {
    metadata.push(call.metadata)
    return call.metadata.get('workload.spiffe.io')[0] === 'true'
  }
  const server = new grpc.Server()
  server.addService(SpiffeWorkloadAPI.service, {
    FetchX509SVID(stream: Stream) {
      if (!isMarked(stream)) {
        stream.emit('error', { code: grpc.status.INVALID_ARGUMENT, details: 'security header missing from request' })
        return
      }
      streams.add(stream)
      stream.on('cancelled', () => streams.delete(stream))
      void send(stream)
    },
    async FetchJWTSVID(call: grpc.ServerUnaryCall<{ audience: string[] }, object>, answer: grpc.sendUnaryData<object>) {
      if (!isMarked(call) || given === 'denied') {
        answer(denied)
        return
      }
      const [first] = given
      const [audience = ''] = call.request.audience
      const spiffeId = first?.spiffeId ?? ''
      const svid = await mintJwtSvid(authority, spiffeId, audience)
      tokens.push(svid)
      answer(null, { svids: [{ spiffe_id: spiffeId, svid, hint: '' }] })
    },
  })
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, grpc.ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    )
  })
  return {
    give(next) {
      given = next
      for (const stream of streams) void send(stream)
      if (next === 'denied') streams.clear()
    },
    stop: () => server.forceShutdown(),
    metadata,
    tokens,
    keys,
  }
}

export async function givenFor(authority: Authority, spiffeId: string): Promise<Given> {
  return { spiffeId, chain: [await issue(authority, spiffeId)], bundle: [authority] }
}
