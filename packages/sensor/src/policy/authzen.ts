import { clipText } from '@affidavit/evidence/record/text'
import type { CedarRequest } from './cedar-request.ts'
import { toCedarRequest } from './cedar-request.ts'
import type { ArgumentProblem, CedarValue } from './cedar-value.ts'
import type { DecisionPoint, OnError, Ruling, ValuePrivacy } from './decision-point.ts'

export interface AuthzenOptions {
  /** Of the access evaluation endpoint, e.g. `https://pdp.example/access/v1/evaluation`. */
  url: string
  timeoutMs: number
  onError: OnError
  token: string | undefined
  /** When it begins to give no decisions, and when it gives them again. */
  diagnose: (code: string, sentence: string) => void
}

const answerBytesMax = 64 * 1024
const engine = { name: 'authzen', version: '1.0' }

/** Why there is no decision. */
type Problem = ArgumentProblem | 'authzen_timeout' | 'authzen_unreachable' | 'authzen_status' | 'authzen_answer'

class NoDecision extends Error {
  override readonly name = 'NoDecision'
  readonly code: Problem
  readonly retry = true

  constructor(code: Problem, message: string) {
    super(message)
    this.code = code
  }
}

/** A decision point elsewhere, asked over HTTP by OpenID AuthZEN 1.0, access evaluation. Each call waits for its answer. */
export function openAuthzen(options: AuthzenOptions): DecisionPoint {
  let missing: Problem | undefined
  const note = (problem: Problem | undefined, sentence: string) => {
    if (problem === missing) return
    missing = problem
    options.diagnose(problem === undefined ? 'AFD_POLICY_BACK' : 'AFD_POLICY_UNAVAILABLE', sentence)
  }
  return {
    async decide(request, privacy) {
      try {
        const built = toCedarRequest(request, 'all')
        if ('problem' in built) throw new NoDecision(built.problem, `the call could not be judged (${built.problem})`)
        const answer = await evaluate(options, toEvaluation(built.request))
        note(undefined, 'the decision point decides again')
        return toRuling(answer, privacy)
      } catch (error) {
        // What is wrong with a call's own arguments says nothing of the decision point.
        if (error instanceof NoDecision && error.code.startsWith('authzen_'))
          note(error.code, `${error.message}: calls are decided by policy.onError (${error.code})`)
        if (error instanceof NoDecision) return failed(options.onError, error.code, error.message)
        // A defect of ours is no permission either.
        return failed(
          'deny',
          'engine_failed',
          `the call could not be judged (${error instanceof Error ? error.name : 'unknown'})`,
        )
      }
    },
  }
}

/** Entities as subject, action and resource, with what is known of them (AuthZEN 1.0, information model). */
function toEvaluation({ principal, action, resource, entities, context }: CedarRequest) {
  const attrsOf = (uid: { type: string; id: string }) =>
    entities.find((entity) => entity.uid.type === uid.type && entity.uid.id === uid.id)?.attrs ?? {}
  const open = (value: CedarValue): unknown => {
    if (Array.isArray(value)) return value.map(open)
    if (typeof value !== 'object') return value
    const reference = value.__entity
    if (typeof reference === 'object' && !Array.isArray(reference)) {
      const { type = '', id = '' } = reference
      const uid = { type: String(type), id: String(id) }
      return { ...uid, ...attrsOf(uid) }
    }
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, open(member)]))
  }
  const [method = '', effect = ''] = splitLast(action.id)
  return {
    subject: { type: principal.type, id: principal.id, properties: open(attrsOf(principal)) },
    action: { name: method, properties: { effect } },
    resource: { type: resource.type, id: resource.id, properties: open(attrsOf(resource)) },
    context: open(context),
  }
}

function splitLast(actionId: string): [string, string] {
  const at = actionId.lastIndexOf(':')
  return [actionId.slice(0, at), actionId.slice(at + 1)]
}

interface Answer {
  decision: boolean
  reason: string | undefined
}

async function evaluate({ url, timeoutMs, token }: AuthzenOptions, evaluation: object): Promise<Answer> {
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(evaluation),
      // What is asked holds arguments: it goes to the configured place and to no other.
      redirect: 'manual',
      signal,
    })
    const text = await readBounded(response)
    if (response.status !== 200)
      throw new NoDecision('authzen_status', `the decision point answered ${response.status}`)
    return parseAnswer(text)
  } catch (error) {
    if (error instanceof NoDecision) throw error
    if (signal.aborted) throw new NoDecision('authzen_timeout', `the decision point gave no answer in ${timeoutMs} ms`)
    if (error instanceof TypeError) throw new NoDecision('authzen_unreachable', 'the decision point cannot be reached')
    throw error
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > answerBytesMax) throw new NoDecision('authzen_answer', 'the answer of the decision point is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** Only a `decision` that is true permits. */
function parseAnswer(text: string): Answer {
  const unreadable = new NoDecision('authzen_answer', 'the answer of the decision point is none of AuthZEN 1.0')
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw unreadable
    throw error
  }
  const decision = memberOf(answer, 'decision')
  if (typeof decision !== 'boolean') throw unreadable
  const context = memberOf(answer, 'context')
  const reasons = ['reason', 'reason_user', 'reason_admin'].flatMap((key) => textsOf(memberOf(context, key)))
  return { decision, reason: reasons[0] }
}

/** A text, or texts by language or by code. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}

/** Its reason is kept for the auditor and not passed to the client, for it may quote anything. */
function toRuling({ decision, reason }: Answer, { redact, keepsValues }: ValuePrivacy): Ruling {
  const said = decision ? 'the decision point permits it' : 'the decision point forbids it'
  const redacted = reason === undefined || !keepsValues ? '' : `: ${redactText(reason, redact)}`
  return {
    disposition: decision ? 'granted' : 'denied',
    reason: said,
    section: {
      engine,
      policies: [],
      conditions: [],
      obligations: [],
      rationale: clipText(`${decision ? 'Granted' : 'Denied'}: ${said}${redacted}.`, 4096),
    },
  }
}

function redactText(text: string, redact: ValuePrivacy['redact']): string {
  const redacted: unknown = JSON.parse(new TextDecoder().decode(redact(Buffer.from(JSON.stringify(text)))))
  return String(redacted)
}

function failed(onError: OnError, problem: string, reason: string): Ruling {
  const isGranted = onError === 'permit'
  const rationale = `${isGranted ? 'Granted' : 'Denied'}: ${reason}, and errors ${onError}.`
  return {
    disposition: isGranted ? 'granted' : 'denied',
    reason,
    section: { engine, policies: [], conditions: [], obligations: [], problem, rationale },
  }
}
