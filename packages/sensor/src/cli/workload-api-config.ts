import { createRequire } from 'node:module'
import { z } from 'zod'
import { isEndpointSocket } from '../identity/spiffe/workload-api.ts'
import { checkBundles, spiffeSchema } from './spiffe-config.ts'
import { UsageError } from './usage-error.ts'

/** The block `identity` of a configuration for `affidavit run` (docs/IDENTITY.md). */

const form = 'expected unix:///PATH or tcp://ADDRESS:PORT'
export const socketVariable = 'SPIFFE_ENDPOINT_SOCKET'
export const grpcPackage = '@grpc/grpc-js'

export const workloadApiSchema = z.strictObject({
  socket: z
    .string()
    .refine(isEndpointSocket, form)
    .optional()
    .describe(`where the Workload API is; default: as ${socketVariable} says`),
  audience: z.string().min(1).max(256).optional().describe('for whom a JWT-SVID is fetched; default: none is'),
})

/** Tokens that come over stdio are ours: their audience is the one they were fetched for. */
export const ownSpiffeSchema = spiffeSchema.omit({ audiences: true })

export interface OwnIdentityConfig {
  workloadApi?: z.infer<typeof workloadApiSchema> | undefined
  spiffe?: z.infer<typeof ownSpiffeSchema> | undefined
}

/** Undefined where neither configuration nor environment names one. */
export function socketOf({ workloadApi }: OwnIdentityConfig, env: NodeJS.ProcessEnv): string | undefined {
  return workloadApi?.socket ?? env[socketVariable]
}

/** What would otherwise be told when the server runs already. Throws UsageError. */
export function checkOwnIdentity(
  at: (...keys: string[]) => string,
  config: OwnIdentityConfig,
  env: NodeJS.ProcessEnv,
): void {
  if (config.spiffe !== undefined) checkBundles(at, config.spiffe)
  if (config.workloadApi === undefined) return
  const where = at('identity', 'workloadApi')
  const socket = socketOf(config, env)
  if (socket === undefined || !isEndpointSocket(socket))
    throw new UsageError(
      'AFD_CONFIG_INVALID',
      `${where}: ${socket === undefined ? 'no socket is given' : `${socketVariable} is of another form, ${form}`}`,
      `Give identity.workloadApi.socket, or set ${socketVariable}.`,
    )
  if (isInstalled(grpcPackage)) return
  throw new UsageError(
    'AFD_PLUGIN_MISSING',
    `${where}: the Workload API speaks gRPC, and ${grpcPackage} is not installed`,
    `Install it beside the sensor: npm install ${grpcPackage}`,
  )
}

/** Looked for and not loaded: that takes longer than a server should wait. */
function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}
