import { encodeIdentity } from '@affidavit/evidence/record/identity-section'
import type { CaptureContext } from '../capture/context.ts'
import { signatureAlgorithms } from '../identity/access-token.ts'
import type { AuthEvent } from '../identity/admission.ts'
import { type AmbientToken, type AmbientTokenOptions, openAmbientToken } from '../identity/ambient-token.ts'
import { createDescribeBearer } from '../identity/bearer.ts'
import { createBearerJudge, type JudgeBearer } from '../identity/bearer-judge.ts'
import { createIssuerKeys } from '../identity/issuer-keys.ts'
import { parseJwtText } from '../identity/jwt-text.ts'
import { Refusal } from '../identity/refusal-code.ts'
import { supplyFromEnv, supplyFromFile, supplyFromGithub, type TokenSupply } from '../identity/token-supply.ts'
import type { CompiledPatterns } from '../redact/redactor.ts'
import { diagnose } from './diagnostics.ts'
import { createNamingRedactor } from './gateway-admission.ts'
import type { IdentityConfig } from './identity-config.ts'

export interface RunIdentityParts {
  emit: CaptureContext['emit']
  digest: CaptureContext['digest']
  correlationKey: Uint8Array
  patterns: CompiledPatterns | undefined
  serverName: string
}

/** Follows the token that the configuration names; undefined where it names none. Loaded only where there is the block. */
export function openRunIdentity(config: IdentityConfig, parts: RunIdentityParts): AmbientToken | undefined {
  const supply = toSupply(config)
  if (supply === undefined) return undefined
  const namingRedactor = createNamingRedactor(parts.correlationKey, parts.patterns)
  const by = { digest: parts.digest, redact: (text: string) => namingRedactor.redactText(text).text }
  const describe = createDescribeBearer(by)
  const judge = config.issuers === undefined ? undefined : toJudge(config.issuers, by)
  return openAmbientToken({
    supply,
    describe: (token) => describe(`Bearer ${token}`),
    ...(judge === undefined ? {} : { judge }),
    onJudged: (event) => void recordJudgement(event, parts),
    diagnose,
  })
}

function toSupply({ token, githubActions }: IdentityConfig): TokenSupply | undefined {
  if (githubActions !== undefined) return supplyFromGithub(githubActions.audience, process.env, fetch)
  if (token === undefined) return undefined
  return 'env' in token ? supplyFromEnv(token.env, process.env) : supplyFromFile(token.file)
}

type Issuer = NonNullable<IdentityConfig['issuers']>[number]
type Judge = NonNullable<AmbientTokenOptions['judge']>

/** The keys of an issuer are asked for when its first token comes, and kept as the gateway keeps them. */
function toJudge(issuers: readonly Issuer[], by: Parameters<typeof createBearerJudge>[1]): Judge {
  const judges = new Map(issuers.map((each) => [each.issuer, judgeFor(each, by)]))
  return async (token, nowMs) => {
    const text = parseJwtText(token)
    if (typeof text === 'string') throw new Refusal(text)
    const { iss } = text.claims
    const judge = typeof iss === 'string' ? judges.get(iss) : undefined
    if (judge === undefined) throw new Refusal('unknown_issuer')
    const headers = [['authorization', `Bearer ${token}`]] as const
    const { principals, verified } = await judge({ target: '', headers, nowMs })
    return { principals, expiresMs: verified.expiresMs }
  }
}

function judgeFor(of: Issuer, by: Parameters<typeof createBearerJudge>[1]): JudgeBearer {
  const { issuer, jwksUri, audiences, algorithms, clockSkewSeconds } = of
  const { signal } = new AbortController()
  const onUnavailable = (name: string, problem: string) =>
    diagnose('AFD_ISSUER_UNAVAILABLE', `keys of ${name} could not be fetched: ${problem}`)
  const where = jwksUri === undefined ? {} : { jwksUri }
  const rules = {
    issuers: new Map([[issuer, createIssuerKeys({ issuer, ...where, fetch, signal, onUnavailable })]]),
    audiences,
    algorithms: algorithms ?? signatureAlgorithms,
    typ: 'any',
    skewMs: clockSkewSeconds * 1000,
  } as const
  return createBearerJudge(rules, by)
}

const unnamedAgent = { absent: 'the agent names itself in messages, not in its credential' }

/** Never rejects: calls have their own records, and keep to the fail mode. */
async function recordJudgement({ detail, principals }: AuthEvent, parts: RunIdentityParts): Promise<void> {
  const identity = encodeIdentity({ agent: unnamedAgent, ...principals })
  try {
    await parts.emit({ kind: 'auth', server: { name: parts.serverName }, detail }, { identity })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    diagnose('AFD_AUDIT_UNAVAILABLE', `a judgement on a credential could not be recorded (${code})`)
  }
}
