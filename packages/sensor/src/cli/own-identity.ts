import type { CaptureContext } from '../capture/context.ts'
import { recordAuth } from '../capture/record-auth.ts'
import type { Principals } from '../identity/principals.ts'
import type { OwnIdentity } from '../identity/spiffe/own-identity.ts'
import { notAnswered, withReason } from '../identity/spiffe/with-reason.ts'
import type { CompiledPatterns } from '../redact/redactor.ts'
import { diagnose } from './diagnostics.ts'
import { reportDefect } from './session.ts'
import type { OwnIdentityConfig } from './workload-api-config.ts'

export interface OwnIdentityStart {
  emit: CaptureContext['emit']
  serverName: string
  digest: CaptureContext['digest']
  correlationKey: Uint8Array
  patterns: CompiledPatterns | undefined
}

/**
 * Asks the Workload API who we are, beside the session: loading what it takes holds up no call. Undefined where none is
 * configured.
 */
export function startOwnIdentity(
  config: OwnIdentityConfig | undefined,
  start: OwnIdentityStart,
): Omit<OwnIdentity, 'judgeAgain'> | undefined {
  if (config?.workloadApi === undefined) return undefined

  let own: OwnIdentity | undefined
  let isClosed = false
  const loading = load(config, start).then((loaded) => {
    if (isClosed) loaded.close()
    else own = loaded
  })
  loading.catch(reportDefect)
  let waiting: { local: Principals; principals: Principals } | undefined
  return {
    of(local) {
      if (own !== undefined) return own.of(local)
      if (waiting?.local !== local) waiting = { local, principals: withReason(local, notAnswered) }
      return waiting.principals
    },
    close() {
      isClosed = true
      own?.close()
    },
  }
}

async function load(config: OwnIdentityConfig, start: OwnIdentityStart): Promise<OwnIdentity> {
  const [grpc, { openWorkloadApi }, { openOwnIdentity }, { openTrust }, { toBundleSources }, { socketOf }, admission] =
    await Promise.all([
      import('@grpc/grpc-js'),
      import('../identity/spiffe/workload-api.ts'),
      import('../identity/spiffe/own-identity.ts'),
      import('../identity/spiffe/trust.ts'),
      import('./spiffe-config.ts'),
      import('./workload-api-config.ts'),
      import('./gateway-admission.ts'),
    ])
  const { emit, serverName, digest, correlationKey, patterns } = start
  const { spiffe, workloadApi } = config
  const naming = admission.createNamingRedactor(correlationKey, patterns)
  let own: OwnIdentity | undefined
  const onChange = () => own?.judgeAgain()
  const trust = spiffe === undefined ? undefined : openTrust(toBundleSources(spiffe), { fetch, diagnose, onChange })
  await trust?.ready
  own = openOwnIdentity({
    api: openWorkloadApi({ grpc, socket: socketOf(config, process.env) ?? '' }),
    audience: workloadApi?.audience,
    trust,
    digest,
    redact: (text) => naming.redactText(text).text,
    tell: (event, events) => void recordAuth(event, events, { emit, serverName, diagnose }),
    diagnose,
  })
  return own
}
