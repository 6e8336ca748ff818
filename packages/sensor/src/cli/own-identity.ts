import { recordAuth } from '../capture/record-auth.ts'
import type { OwnIdentity } from '../identity/spiffe/own-identity.ts'
import { notAnswered, type OwnNames } from '../identity/spiffe/own-names.ts'
import { diagnose } from './diagnostics.ts'
import type { RunIdentityParts } from './run-identity.ts'
import { reportDefect } from './session.ts'
import type { OwnIdentityConfig } from './workload-api-config.ts'

/** Whom the Workload API names. Loading what it takes to ask holds up no call. */
export function startOwnIdentity(config: OwnIdentityConfig, start: RunIdentityParts): Omit<OwnIdentity, 'judgeAgain'> {
  let own: OwnIdentity | undefined
  let isClosed = false
  const loading = load(config, start).then((loaded) => {
    if (isClosed) loaded.close()
    else own = loaded
  })
  loading.catch(reportDefect)
  return {
    current: (nowMs) => own?.current(nowMs) ?? waiting,
    close() {
      isClosed = true
      own?.close()
    },
  }
}

const waiting: OwnNames = { why: notAnswered }

async function load(config: OwnIdentityConfig, start: RunIdentityParts): Promise<OwnIdentity> {
  const [
    grpc,
    { openWorkloadApi },
    { openOwnIdentity },
    { openTrust },
    { toBundleSources, toSpiffeRoles },
    { socketOf },
    admission,
  ] = await Promise.all([
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
    roles: spiffe === undefined ? undefined : toSpiffeRoles(spiffe),
    redact: (text) => naming.redactText(text).text,
    tell: (event, events) => void recordAuth(event, events, { emit, serverName, diagnose }),
    diagnose,
  })
  return own
}
