import type { Absent } from '@affidavit/evidence/record/absent'
import type { Actor } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { isJsonObject, readMetaClaims, toClaimedAgent } from '../../identity/claims.ts'
import type { Claims, RequestOrigin } from '../origin.ts'
import type { ReportContext } from './draft.ts'
import type { ReportedActor, ReportedRequest, Reporter } from './report.ts'

type Redact = (text: string) => string
type OriginContext = Pick<ReportContext, 'redactor' | 'namingRedactor' | 'digest'>

const unnamed: Absent = { absent: 'the reporter named none' }
const statementBytesMax = 4096

/**
 * Who and what is behind a reported request. Every actor is `claimed`, by the method `reported`, and its source names the
 * reporter; what `params` say of the agent (`_meta`, or `clientInfo` of initialize) was told by the reporter, too.
 */
export function originOf(context: OriginContext, request: ReportedRequest, params: unknown): RequestOrigin {
  const redact = (text: string) => context.redactor.redactText(text).text
  const redactName = (text: string) => context.namingRedactor.redactText(text).text
  const { reporter, agent, workload, user, role, delegation, sessionId } = request
  const name = nameReporter(reporter, redact)
  const actor = (told: ReportedActor | undefined) => (told === undefined ? unnamed : toActor(told, name, redactName))
  return {
    principals: {
      workload: actor(workload),
      user: actor(user),
      role: actor(role),
      token: { absent: 'reports carry no token' },
      delegation: delegation.map((each) => toActor(each, name, redactName)),
    },
    network: {
      absent: clipText(`reported by ${clipText(name, 128)} from ${reporter.address}; the exchange was not seen`),
    },
    session:
      sessionId === undefined
        ? { absent: 'the reporter named no session, no conversation and no trace' }
        : { digest: context.digest(sessionId) },
    claims: {
      ...claimsOf(request, name, redact),
      agent: agent === undefined ? (agentIn(params, name, redact) ?? unnamed) : actor(agent),
    },
    reported: reporter.way,
  }
}

function claimsOf(
  { purpose, conversation, trace }: ReportedRequest,
  name: string,
  redact: Redact,
): Omit<Claims, 'agent'> {
  return {
    ...(purpose === undefined
      ? {}
      : {
          purpose: {
            kind: purpose.kind,
            statement: clipText(redact(purpose.statement), statementBytesMax),
            assurance: 'claimed',
            source: name,
          },
        }),
    ...(conversation === undefined ? {} : { conversation }),
    ...(trace === undefined ? {} : { trace }),
  }
}

function agentIn(params: unknown, name: string, redact: Redact): Actor | undefined {
  if (!isJsonObject(params)) return undefined
  const agent = readMetaClaims(params._meta, redact).agent ?? toClaimedAgent(params.clientInfo, 'initialize', redact)
  return agent === undefined ? undefined : { ...agent, ...groundsOf(name, agent.source) }
}

function toActor({ from, ...told }: ReportedActor, name: string, redact: Redact): Actor {
  const kept = (key: 'name' | 'version' | 'issuer') => {
    const value = told[key]
    return value === undefined ? {} : { [key]: clipText(redact(value)) }
  }
  return {
    id: clipText(redact(told.id)),
    ...(told.kind === undefined ? {} : { kind: told.kind }),
    ...kept('name'),
    ...kept('version'),
    ...kept('issuer'),
    ...groundsOf(name, from),
  }
}

function groundsOf(name: string, from: string | undefined) {
  return {
    assurance: 'claimed',
    method: 'reported',
    source: clipText(from === undefined ? name : `${clipText(name, 192)}: ${from}`),
    reason: 'a program reported it, and nothing was checked',
  } as const
}

export function nameReporter({ name, version }: Reporter, redact: Redact): string {
  return clipText(redact(version === undefined ? name : `${name} ${version}`))
}
