/**
 * What deciding about a call takes, each step alone and all together, over arguments of 2 KB and 50 policies of which 20
 * apply: from the message as it came to the record as it is handed to the spool. Syncs are not in it: `gateway.ts` has those.
 */
import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Draft } from '@affidavit/evidence/record/header'
import { createRedactor } from '@affidavit/sensor/redact/redactor'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { Capture } from '../packages/sensor/src/capture/capture.ts'
import { readClock } from '../packages/sensor/src/capture/clock.ts'
import type { CaptureContext } from '../packages/sensor/src/capture/context.ts'
import type { CapturedLine } from '../packages/sensor/src/capture/line.ts'
import { type RequestOrigin, stdioOrigin } from '../packages/sensor/src/capture/origin.ts'
import { LineScan } from '../packages/sensor/src/capture/scan.ts'
import { Classifier } from '../packages/sensor/src/classify/classifier.ts'
import { loadCatalogue } from '../packages/sensor/src/classify/load-catalogue.ts'
import { createDigester, createMarker } from '../packages/sensor/src/crypto/digester.ts'
import { createCredentialObserver } from '../packages/sensor/src/identity/credential-observer.ts'
import { readLocalFacts } from '../packages/sensor/src/identity/local.ts'
import type { Principals } from '../packages/sensor/src/identity/principals.ts'
import { openEmbedded } from '../packages/sensor/src/policy/embedded.ts'
import { SessionCounters } from '../packages/sensor/src/policy/session-counters.ts'
import { machine, percentile, report } from './measure.ts'

const rounds = 4_000
const warmUp = 1_000
const target = { p50: 0.6, p99: 3 }

/** Looks at time, user, classification and arguments, as policies of the field do; 20 of 50 have this server in their scope. */
const policyText = Array.from({ length: 50 }, (_, i) => {
  const server = i % 5 < 2 ? 'files' : `other-${i}`
  return `@id("p${i}") ${i % 3 === 0 ? 'forbid' : 'permit'}(principal, action, resource is Tool in Server::"${server}")
    when { context.time.hour >= 0 && resource.classification != "none-${i}" }
    when { context.arguments has path && context.arguments.path like "/${i % 3 === 0 ? 'etc' : 'srv'}/*" };`
}).join('\n')

const words = 'the quarterly report of the northern region was sent back with remarks on pages four and nine'.split(' ')

/** A note of 2 KB, each one different. `personal`: how many e-mail addresses and card numbers stand in it. */
function argumentsOf(i: number, personal: number): { path: string; content: string } {
  const content: string[] = []
  for (let n = 0, size = 0; size < 1_850; n++) {
    const isPersonal = n % 40 === 7 && n / 40 < personal
    const address = n % 80 === 7 ? `ada.${i}.${n}@example.org` : '4111 1111 1111 1111'
    const word = isPersonal ? address : (words[(n * 7 + i) % words.length] ?? '')
    content.push(word)
    size += word.length + 1
  }
  return { path: `/srv/notes/${i}.md`, content: content.join(' ') }
}

const encode = (message: object) => Buffer.from(JSON.stringify(message))

function toLine(bytes: Uint8Array, direction: CapturedLine['direction'], origin: RequestOrigin): CapturedLine {
  const scan = new LineScan()
  scan.push(bytes)
  return { direction, scanned: scan.end(), arrived: readClock(), ending: 'terminated', bytes, origin }
}

const correlationKey = randomBytes(32)
const digest = createDigester(correlationKey)
const marker = createMarker(correlationKey)
const facts = readLocalFacts(undefined)
const local = stdioOrigin(facts)
const redactor = createRedactor({ correlationKey })
const source = { read: () => '', reportMissing: (missing: Error) => console.error(missing.message) }
const classifier = new Classifier(await loadCatalogue({ files: [], starter: 'first', servers: ['files'] }, source))
const point = await openEmbedded({
  source: { policies: [{ name: 'bench.cedar', text: policyText }], schema: undefined },
  onError: 'deny',
})

const issuer = 'https://idp.example'
const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] }
const observer = createCredentialObserver({
  issuers: [
    {
      issuer,
      kind: 'oauth',
      readKeys: () => jwks,
      audiences: ['https://crm.example/mcp'],
      algorithms: ['ES256'],
      typ: 'at+jwt',
      skewMs: 30_000,
      role: { claim: ['roles'] },
      claims: new Map(),
    },
  ],
  fetch,
  diagnose: (code, sentence) => console.error(code, sentence),
  digest,
  redact: (text) => redactor.redactText(text).text,
})

/** A token of an issuer in force, different for each `jti`. */
function mint(jti: string): Promise<string> {
  const actor = { act: { sub: 'agent-7', act: { sub: 'planner' } } }
  return new SignJWT({ client_id: 'agent', scope: 'crm.read', roles: ['writer'], ...actor })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'one' })
    .setIssuer(issuer)
    .setSubject('alice')
    .setAudience('https://crm.example/mcp')
    .setIssuedAt()
    .setExpirationTime('1h')
    .setJti(jti)
    .sign(privateKey)
}

async function identify(token: string): Promise<Principals> {
  const headers = [['authorization', `Bearer ${token}`]] as const
  const request = { target: '/mcp', headers, method: 'POST', origins: () => [], nowMs: Date.now() }
  return (await observer.observe(request)).principals
}

/** Where the request at hand was handed over to be made durable. */
let handedOver = 0
const plain: CaptureContext = {
  emit: async (draft: Draft) => {
    if ('stage' in draft && draft.stage === 'requested') handedOver = performance.now()
    return { recorded: true, hash: new Uint8Array(32) }
  },
  redactor: { redactJson: (text) => ({ text, removed: [] }), redactText: (text) => ({ text, removed: [] }) },
  digest,
  level: 'arguments',
  serverName: 'files',
  facts,
  vantage: 'gateway',
  diagnose: (code, sentence) => console.error(code, sentence),
}
const policyNow = () => ({ policy: { mode: 'enforce' as const, point, sessions: new SessionCounters() } })
/** What of it a contestant does. `token`: the same with every call, or one that was never seen before. */
interface Step {
  parts: Partial<CaptureContext>
  token?: 'same' | 'new' | undefined
}
const steps: Readonly<Record<string, Step>> = {
  'none of them': { parts: {} },
  identify: { parts: {}, token: 'same' },
  '… a new token': { parts: {}, token: 'new' },
  redact: { parts: { redactor } },
  classify: { parts: { classifier } },
  '… with values': { parts: { classifier, marker } },
  policy: { parts: policyNow() },
  'all together': { parts: { redactor, classifier, marker, ...policyNow() }, token: 'same' },
}
const sameToken = await mint('same')

/** Milliseconds from the bytes of a call to its record. */
async function time(capture: Capture, i: number, { content, token }: { content: object } & Pick<Step, 'token'>) {
  const params = { name: 'write_file', arguments: content }
  const call = encode({ jsonrpc: '2.0', id: i, method: 'tools/call', params })
  const result = encode({ jsonrpc: '2.0', id: i, result: { content: [{ type: 'text', text: 'written' }] } })
  const presented = token === 'new' ? await mint(`${i}`) : sameToken
  const start = performance.now()
  const origin = token === undefined ? local : { ...local, principals: await identify(presented) }
  await capture.take(toLine(call, 'client-to-server', origin))
  const took = handedOver - start
  await capture.take(toLine(result, 'server-to-client', local))
  return took
}

/** All steps in turns over arguments with so much to remove. */
async function measure(personal: number): Promise<void> {
  const contestants = Object.entries(steps).map(([name, { parts, token }]) => ({
    name,
    token,
    capture: new Capture({ ...plain, ...parts }),
    tookMs: [] as number[],
  }))
  for (let i = 0; i < rounds + warmUp; i++)
    for (const { capture, token, tookMs } of contestants) {
      const took = await time(capture, i, { content: argumentsOf(i, personal), token })
      if (i >= warmUp) tookMs.push(took)
      // As in a server: what came meanwhile has its turn.
      await setImmediate()
    }
  console.log(`\n  ${encode(argumentsOf(1, personal)).length} bytes of arguments, ${personal} values in them to remove`)
  const floorMs = percentile(contestants[0]?.tookMs ?? [], 0.5)
  for (const { name, capture, tookMs } of contestants) {
    const [p50, p99] = [percentile(tookMs, 0.5), percentile(tookMs, 0.99)]
    const added = name === 'none of them' ? '' : `, ${(p50 - floorMs).toFixed(3)} ms of it for this`
    console.log(`  ${name.padEnd(14)} p50 ${p50.toFixed(3)} ms  p99 ${p99.toFixed(3)} ms${added}`)
    await capture.finish()
  }
  const all = contestants.at(-1)?.tookMs ?? []
  report('all together, p50', percentile(all, 0.5), { atMost: target.p50, unit: 'ms' })
  report('all together, p99', percentile(all, 0.99), { atMost: target.p99, unit: 'ms' })
}

console.log('Deciding about a call: 50 policies of which 20 apply, with two conditions each')
console.log(`  ${machine()}\n  ${rounds.toLocaleString('en')} calls each, in turns, one at a time`)
for (const personal of [0, 2, 7]) await measure(personal)
observer.close()
