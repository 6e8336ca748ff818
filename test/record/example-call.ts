import { createPrivateKey, createPublicKey } from 'node:crypto'
import { encodeDecision } from '@affidavit/evidence/record/decision-section'
import { digestValue, formatHash, toCorrelationKey } from '@affidavit/evidence/record/digest'
import { encodeEntry } from '@affidavit/evidence/record/entry'
import type { Envelope } from '@affidavit/evidence/record/envelope'
import { encodeEnvelope } from '@affidavit/evidence/record/envelope-bytes'
import { encodeEnvironment } from '@affidavit/evidence/record/environment-section'
import { encodeCommitMessage, hashHeader } from '@affidavit/evidence/record/hash'
import type { CompletedHeader, Header, RequestedHeader, StreamHeader } from '@affidavit/evidence/record/header'
import { encodeHeader } from '@affidavit/evidence/record/header-bytes'
import { encodeIdentity } from '@affidavit/evidence/record/identity-section'
import { sectionNames } from '@affidavit/evidence/record/kinds'
import { encodeOutput } from '@affidavit/evidence/record/output-section'
import { encodePurpose } from '@affidavit/evidence/record/purpose-section'
import { encodeResources } from '@affidavit/evidence/record/resources-section'
import {
  commitSection,
  deriveRecordKeys,
  deriveRecordSecret,
  encodeBody,
  type Sections,
} from '@affidavit/evidence/record/sections'
import { hmacSha256, sealing, sha256, signEd25519 } from '@affidavit/sensor/crypto/node'

import { exampleChange } from './example-change.ts'

/** The call that docs/RECORD.md shows, made from fixed secrets: one stream of three records. */

const utf8 = new TextEncoder()
const text = new TextDecoder()
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const countFrom = (first: number) => Uint8Array.from({ length: 32 }, (_, i) => first + i)

const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), countFrom(0)])
const sensorKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
const sensorPublic = new Uint8Array(createPublicKey(sensorKey).export({ format: 'der', type: 'spki' }).subarray(-32))
const streamSecret = countFrom(32)
const correlation = toCorrelationKey(sha256, countFrom(64))
const digest = (value: string) => digestValue(hmacSha256, correlation, value)

const input = utf8.encode('{"path":"/srv/reports/q3.csv","token":"[REDACTED:github-token]","limit":9007199254740993}')
const token = 'ghp_0123456789abcdefghijklmnopqrstuvwxyz'
const definition = '{"name":"read_text_file","inputSchema":{"type":"object","properties":{"path":{"type":"string"}}}}'
const toolDefinition = formatHash(sha256(utf8.encode(definition)))

const requestedSections: Sections = {
  input,
  identity: encodeIdentity({
    agent: {
      id: 'claude-code',
      kind: 'agent',
      version: '2.1.0',
      assurance: 'claimed',
      method: 'client-info',
      source: 'initialize.clientInfo',
      reason: 'the client says so itself',
    },
    workload: {
      id: '/usr/bin/node',
      kind: 'workload',
      uid: 1000,
      assurance: 'attested',
      method: 'procfs',
      source: '/proc/4711',
      reason: 'a process of the same user could pose as it',
    },
    user: { id: 'uid:1000', kind: 'person', uid: 1000, assurance: 'attested', method: 'process-uid', source: 'kernel' },
    role: { absent: 'stdio names no role' },
    token: { absent: 'stdio carries no token' },
    delegation: [],
  }),
  resources: encodeResources({
    resources: [
      { type: 'path', name: '/srv/reports/q3.csv', dataTypes: ['email'], level: 'internal', source: 'catalogue' },
    ],
    omitted: 0,
  }),
  decision: encodeDecision({
    engine: { name: 'cedar', version: '4.5.0' },
    policies: [{ id: 'reports-read', verdict: 'permit', reason: 'analysts may read reports' }],
    conditions: [{ policy: 'reports-read', condition: 'context.hour < 18', value: '11', result: 'holds' }],
    obligations: [],
    rationale: 'One policy permits it, none forbids it.',
  }),
  purpose: encodePurpose({
    kind: 'task',
    statement: 'Summarise the third quarter',
    assurance: 'claimed',
    source: '_meta.affidavit/task',
    more: [{ kind: 'turn', statement: 'request_0b1e', source: '_meta.vscode.requestId' }],
  }),
  environment: encodeEnvironment({
    host: { os: 'linux', arch: 'x64', name: 'laptop-7' },
    processes: {
      sensor: { pid: 4712, startedAt: '2026-11-20T11:03:12.004Z' },
      client: { pid: 4711, executable: '/usr/bin/node' },
      server: { pid: 4713, executable: '/usr/bin/node' },
    },
    network: { absent: 'stdio' },
    ids: { requestId: '7' },
    redactions: [{ path: '/token', rule: 'github-token', bytes: token.length, digest: digest(token) }],
    redactionsOmitted: 0,
  }),
}

const response = '{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"month,total"}]}}'
const completedSections: Sections = {
  output: encodeOutput({
    form: 'result',
    digest: digest(response),
    blocks: [{ type: 'text', bytes: 36 }],
    blocksOmitted: 0,
  }),
}

function commit(seq: number, sections: Sections): Header['sections'] {
  const { saltOf } = deriveRecordKeys(sealing, deriveRecordSecret(sealing, streamSecret, seq))
  const present = sectionNames.flatMap((name) => {
    const bytes = sections[name]
    return bytes === undefined ? [] : [[name, formatHash(commitSection(sha256, name, saltOf(name), bytes))] as const]
  })
  return Object.fromEntries(present)
}

const hashOf = (header: Header) => formatHash(hashHeader(sha256, encodeHeader(header)))

const core = {
  v: 1,
  tenant: 'default',
  epoch: '2026q4',
  streamId: '019aa0f5-2c44-7c3e-9d0f-5b0c1d2e3f40',
  bootId: '5d2f0d3c-0c43-4a53-9a3e-6f3f7c0a9b11',
} as const

const opened: StreamHeader = {
  ...core,
  seq: 0,
  time: '2026-11-20T11:03:12.068Z',
  monotonicUs: 81_234_500_112,
  sections: {},
  kind: 'stream',
  detail: {
    event: 'opened',
    sensorId: hex(sha256(sensorPublic)).slice(0, 16),
    sensorKey: formatHash(sensorPublic),
    counter: 0,
    previous: null,
    software: 'affidavit-sensor/0.1.0',
  },
}

const requested: RequestedHeader = {
  ...core,
  seq: 1,
  prev: hashOf(opened),
  time: '2026-11-20T11:03:40.123Z',
  monotonicUs: 81_262_555_310,
  sections: commit(1, requestedSections),
  kind: 'call',
  stage: 'requested',
  vantage: 'gateway',
  direction: 'to-server',
  callId: '019aa0f5-999b-7001-8a2b-3c4d5e6f7081',
  sessionSource: 'legacy-stdio',
  sessionId: '019aa0f5-2c50-7a11-b2c3-d4e5f6071829',
  method: 'tools/call',
  requestIdDigest: digest('7'),
  server: {
    name: 'files',
    reportedName: 'secure-filesystem-server',
    version: '0.2.0',
    protocolVersion: '2025-11-25',
  },
  tool: { name: 'read_text_file', definition: toolDefinition },
  effect: 'read',
  level: 'arguments',
  inputBytes: 187,
  classification: { level: 'internal', tags: ['finance'] },
  decision: { disposition: 'granted', mode: 'enforce' },
}

const completed: CompletedHeader = {
  ...core,
  seq: 2,
  prev: hashOf(requested),
  time: '2026-11-20T11:03:40.131Z',
  monotonicUs: 81_262_563_702,
  sections: commit(2, completedSections),
  kind: 'call',
  stage: 'completed',
  callId: requested.callId,
  requestedHash: hashOf(requested),
  outcome: 'success',
  responseBytes: response.length,
  latencyUs: 7_914,
}

const commitMessage = encodeCommitMessage({ streamId: core.streamId, seq: 2, hash: hashOf(completed) })
const signature = Buffer.from(signEd25519(sensorKey, commitMessage)).toString('base64')
const envelopes: Envelope[] = [
  { v: 1, observedTime: '2026-11-20T11:03:40.310Z' },
  { v: 1, observedTime: '2026-11-20T11:03:40.310Z', subject: 's_3f9a0c5d7e1b2468' },
  { v: 1, observedTime: '2026-11-20T11:03:40.310Z', subject: 's_3f9a0c5d7e1b2468', signature },
]
const leafHashes = [opened, requested, completed].map((header, i) => {
  const envelope = envelopes[i] ?? { v: 1, observedTime: header.time }
  return hex(sha256(Uint8Array.of(0), encodeEntry(encodeHeader(header), encodeEnvelope(envelope))))
})

const keys = deriveRecordKeys(sealing, deriveRecordSecret(sealing, streamSecret, 1))
const read = (bytes: Uint8Array | undefined): unknown => JSON.parse(text.decode(bytes))

/** What the document shows, by the label of the example. `section:input` is text: its numbers do not survive JSON.parse. */
export const exampleCall: Record<string, unknown> = {
  'header:opened': opened,
  'header:requested': requested,
  'header:completed': completed,
  'section:input': text.decode(input),
  'section:change': exampleChange,
  'section:identity': read(requestedSections.identity),
  'section:output': read(completedSections.output),
  'section:resources': read(requestedSections.resources),
  'section:decision': read(requestedSections.decision),
  'section:purpose': read(requestedSections.purpose),
  'section:environment': read(requestedSections.environment),
  'vector:sections': {
    streamSecret: hex(streamSecret),
    seq: 1,
    recordSecret: hex(deriveRecordSecret(sealing, streamSecret, 1)),
    bodyKey: hex(keys.bodyKey),
    inputSalt: hex(keys.saltOf('input')),
    inputCommitment: requested.sections.input,
    bodySha256: hex(sha256(encodeBody(requestedSections))),
    sealedBodySha256: hex(sha256(sealing.seal(keys.bodyKey, encodeBody(requestedSections)))),
  },
  envelope: envelopes[2],
  'vector:hashes': {
    headerBytes: [opened, requested, completed].map((header) => encodeHeader(header).length),
    headerHashes: [opened, requested, completed].map((header) => hex(hashHeader(sha256, encodeHeader(header)))),
    leafHashes,
    commitMessage: text.decode(commitMessage),
    signature,
    correlationKeyId: correlation.id,
    requestIdDigest: digest('7'),
  },
}
