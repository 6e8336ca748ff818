import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { toPolicyRequest } from '../../packages/sensor/src/cli/policy-cases.ts'
import { openAuthzen } from '../../packages/sensor/src/policy/authzen.ts'
import type { OnError } from '../../packages/sensor/src/policy/decision-point.ts'
import { SessionCounters } from '../../packages/sensor/src/policy/session-counters.ts'
import {
  answerJson,
  ask,
  bodyOf,
  call,
  type Gatewayed,
  openGateway,
  outcomes,
  result,
  stage,
} from '../gateway/harness/gatewayed.ts'
import { listenUntilEnd } from '../gateway/harness/serve.ts'

let open: Gatewayed | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

interface Asked {
  // biome-ignore lint/suspicious/noExplicitAny: tests read what was sent, whatever its shape
  body: any
  authorization: string | undefined
}

/** A gateway that enforces what a decision point of the test's own says, over HTTP. */
async function decidedBy(
  answer: (response: ServerResponse, asked: Asked) => void,
  { onError = 'deny', timeoutMs = 2000 }: { onError?: OnError; timeoutMs?: number } = {},
) {
  const asked: Asked[] = []
  const log: string[] = []
  const said: string[] = []
  const port = await listenUntilEnd(
    createServer(async (request: IncomingMessage, response: ServerResponse) => {
      const one = { body: JSON.parse(await bodyOf(request)), authorization: request.headers.authorization }
      asked.push(one)
      answer(response, one)
    }),
  )
  const point = openAuthzen({
    url: `http://127.0.0.1:${port}/access/v1/evaluation`,
    timeoutMs,
    onError,
    token: 'pdp-token',
    diagnose: (code) => said.push(code),
  })
  open = await openGateway(
    async (request, response) => {
      log.push(await bodyOf(request))
      answerJson(response, result(JSON.parse(log.at(-1) ?? '').id))
    },
    { policy: { mode: 'enforce', point, sessions: new SessionCounters() } },
  )
  return { asked, log, said, gateway: open }
}

const diagnose = () => undefined
const posture = { source: 'file' as const, state: 'fresh' as const, ageMs: 0, signals: { disk: { encrypted: true } } }

describe('what a decision point elsewhere is told', () => {
  it('is the state of the machine, by the same name [PO-21]', async () => {
    const told: unknown[] = []
    const port = await listenUntilEnd(
      createServer(async (request, response) => {
        told.push(JSON.parse(await bodyOf(request)).context)
        answerJson(response, { decision: true })
      }),
    )
    const point = openAuthzen({
      url: `http://127.0.0.1:${port}/`,
      timeoutMs: 2000,
      onError: 'deny',
      token: undefined,
      diagnose,
    })
    const asked = toPolicyRequest({ server: 's', tool: 't', posture })
    await point.decide(asked, { keepsValues: true, redact: (json) => json })
    expect(told).toEqual([expect.objectContaining({ posture, tool: 't' })])
  })
})

const decisionOf = ({ records }: Gatewayed) => JSON.parse(stage(records, 'requested').at(-1)?.sections.decision ?? '{}')

describe('a decision point elsewhere', () => {
  it('is asked by AuthZEN 1.0 with subject, action, resource and context, and obeyed [PO-14]', async () => {
    const { asked, log, gateway } = await decidedBy((response, { body }) =>
      answerJson(response, {
        decision: body.context.arguments.path !== '/etc/shadow',
        context: { reason_admin: { en: 'password=hunter2hunter2 is not for agents' } },
      }),
    )
    const denied = await ask(gateway.url, { body: call(1, 'read', { path: '/etc/shadow', depth: 2 }) })
    expect(JSON.parse(denied.body.toString())).toMatchObject({ error: { code: -31004, data: { cause: 'policy' } } })
    expect(denied.body.toString()).not.toContain('agents')
    expect(log).toEqual([])
    expect(asked[0]).toMatchObject({
      authorization: 'Bearer pdp-token',
      body: {
        subject: { type: 'Agent', id: 'unnamed', properties: { assurance: 'claimed' } },
        action: { name: 'tools/call', properties: { effect: 'unknown' } },
        resource: { type: 'Tool', id: 'unit/read', properties: { server: 'unit', isListed: false } },
        context: { tool: 'read', arguments: { path: '/etc/shadow', depth: 2 }, time: { hour: expect.any(Number) } },
      },
    })
    const section = decisionOf(gateway)
    expect(section).toMatchObject({ engine: { name: 'authzen', version: '1.0' } })
    expect(section.rationale).toMatch(/^Denied: the decision point forbids it: .*is not for agents\.$/)
    expect(section.rationale).not.toContain('hunter2')
    await ask(gateway.url, { body: call(2, 'read', { path: '/srv' }) })
    expect(log).toHaveLength(1)
    expect(outcomes(gateway.records)).toEqual(['denied', 'success'])
  })

  const hang = () => undefined
  it.each([
    ['no answer in time', hang, 'authzen_timeout'],
    [
      'a status that is none',
      (response: ServerResponse) => response.writeHead(503).end('{"decision":true}'),
      'authzen_status',
    ],
    [
      'a redirection',
      (response: ServerResponse) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
      'authzen_status',
    ],
    ['no JSON', (response: ServerResponse) => response.end('yes'), 'authzen_answer'],
    [
      'a decision that is no boolean',
      (response: ServerResponse) => response.end('{"decision":"true"}'),
      'authzen_answer',
    ],
    ['an answer without end', (response: ServerResponse) => response.end('x'.repeat(100_000)), 'authzen_answer'],
    ['a connection that breaks', (response: ServerResponse) => void response.destroy(), 'authzen_unreachable'],
  ])('denies on %s, or permits as configured, and records why [PO-15]', async (_, answer, problem) => {
    for (const onError of ['deny', 'permit'] as const) {
      const { log, said, gateway } = await decidedBy(answer, { onError, timeoutMs: 300 })
      const first = await ask(gateway.url, { body: call(1) })
      // What the client can tell an outage from a denial by.
      if (onError === 'deny') expect(JSON.parse(first.body.toString())).toMatchObject({ error: { data: { problem } } })
      expect(said).toEqual(['AFD_POLICY_UNAVAILABLE'])
      expect(log).toHaveLength(onError === 'deny' ? 0 : 1)
      expect(decisionOf(gateway)).toMatchObject({ problem })
      await open?.close()
    }
    open = undefined
  })

  it('says once that it gives no decisions, and once that it does again [PO-15]', async () => {
    let isDown = true
    const { said, gateway } = await decidedBy((response) => {
      if (isDown) response.writeHead(503).end()
      else answerJson(response, { decision: true })
    })
    for (const id of [1, 2]) await ask(gateway.url, { body: call(id) })
    isDown = false
    for (const id of [3, 4]) await ask(gateway.url, { body: call(id) })
    expect(said).toEqual(['AFD_POLICY_UNAVAILABLE', 'AFD_POLICY_BACK'])
  })
})
