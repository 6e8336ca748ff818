import type { CaptureContext } from '../capture/context.ts'
import { recordAuth } from '../capture/record-auth.ts'
import type { AuthEvent } from '../identity/admission.ts'
import { type AmbientToken, type AmbientTokenOptions, openAmbientToken } from '../identity/ambient-token.ts'
import { createDescribeBearer } from '../identity/bearer.ts'
import { createBearerJudge } from '../identity/bearer-judge.ts'
import { type OpenTrust, openTrust } from '../identity/open-trust.ts'
import { supplyFromEnv, supplyFromFile, supplyFromGithub, type TokenSupply } from '../identity/token-supply.ts'
import type { CompiledPatterns } from '../redact/redactor.ts'
import { diagnose } from './diagnostics.ts'
import { createNamingRedactor } from './gateway-admission.ts'
import { type RunIdentityConfig, toIdentityTrust } from './identity-config.ts'

export interface RunIdentityParts {
  emit: CaptureContext['emit']
  digest: CaptureContext['digest']
  correlationKey: Uint8Array
  patterns: CompiledPatterns | undefined
  serverName: string
}

/** Follows the token that the configuration names; undefined where it names none. Loaded only where there is the block. */
export function openRunIdentity(config: RunIdentityConfig, parts: RunIdentityParts): AmbientToken | undefined {
  const supply = toSupply(config)
  if (supply === undefined) return undefined
  const namingRedactor = createNamingRedactor(parts.correlationKey, parts.patterns)
  const by = { digest: parts.digest, redact: (text: string) => namingRedactor.redactText(text).text }
  const ended = new AbortController()
  const trust = config.issuers === undefined ? undefined : openIssuers(config, ended.signal)
  const describe = createDescribeBearer({ ...by, ...(trust === undefined ? {} : { readingOf: trust.readingOf }) })
  const token = openAmbientToken({
    supply,
    describe: (token) => describe(`Bearer ${token}`),
    ...(trust === undefined ? {} : { judge: toJudge(trust, by) }),
    onJudged: (event) => void recordJudgement(event, parts),
    diagnose,
  })
  return {
    current: token.current,
    close() {
      token.close()
      ended.abort()
    },
  }
}

function toSupply({ token, githubActions }: RunIdentityConfig): TokenSupply | undefined {
  if (githubActions !== undefined) return supplyFromGithub(githubActions.audience, process.env, fetch)
  if (token === undefined) return undefined
  return 'env' in token ? supplyFromEnv(token.env, process.env) : supplyFromFile(token.file)
}

/** The keys of an issuer are asked for when its first token comes, and kept as the gateway keeps them. */
function openIssuers(config: RunIdentityConfig, signal: AbortSignal): OpenTrust {
  return openTrust({ ...toIdentityTrust(config, undefined, process.env), fetch, diagnose }, signal)
}

/** The judge of the gateway: a token means the same, whichever way it comes. */
function toJudge(...[trust, by]: Parameters<typeof createBearerJudge>): NonNullable<AmbientTokenOptions['judge']> {
  const judge = createBearerJudge(trust, by)
  return async (token, nowMs) => {
    const headers = [['authorization', `Bearer ${token}`]] as const
    const { principals, verified } = await judge({ method: '', target: '', headers, origins: () => [], nowMs })
    const { method, expiresMs, rememberMs } = verified
    // A key that is withdrawn is noticed with the next token; an issuer that was asked may say another thing the next time.
    return { principals, expiresMs, ...(method === 'introspection' ? { againMs: rememberMs } : {}) }
  }
}

const recordAgainMs = 30_000

/** Never rejects. What cannot be recorded now is tried again while the session lasts; calls keep to the fail mode. */
async function recordJudgement(event: AuthEvent, { emit, serverName }: RunIdentityParts): Promise<void> {
  const giveBack = (events: readonly AuthEvent[]) => {
    for (const each of events) setTimeout(() => void recordAuth(each, { giveBack }, context), recordAgainMs).unref()
  }
  const context = { emit, serverName, diagnose }
  await recordAuth(event, { giveBack }, context)
}
