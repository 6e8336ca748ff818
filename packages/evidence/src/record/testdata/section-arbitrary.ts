import fc, { type Arbitrary } from 'fast-check'
import type { Absent } from '../absent.ts'
import type { Containment } from '../containment.ts'
import { type ApprovalRef, type DecisionSection, verdicts } from '../decision-section.ts'
import type { EnvironmentSection, ProcessFacts } from '../environment-section.ts'
import { type Actor, actorKinds, type IdentitySection, type TokenRef } from '../identity-section.ts'
import { assurances } from '../kinds.ts'
import { fileStates, type Lineage, lineageEnds } from '../lineage.ts'
import type { OutputSection } from '../output-section.ts'
import type { Posture } from '../posture.ts'
import { type PurposeSection, purposeKinds } from '../purpose-section.ts'
import {
  type ResourcesSection,
  resourceTypes,
  type Statement,
  statementBounds,
  statementEffects,
} from '../resources-section.ts'
import type { ValueMarks } from '../value-marks.ts'
import { digest, hash, integer, name, timestamp, uuid, words } from './arbitrary.ts'

/** Valid sections, for properties. */

const plain = { noNullPrototype: true } as const
const absent: Arbitrary<Absent> = fc.record({ absent: words }, plain)
const grounds = { assurance: fc.constantFrom(...assurances), method: words, source: words, reason: words }
const required = <K extends string>(...requiredKeys: K[]) => ({ requiredKeys, noNullPrototype: true }) as const

const actor: Arbitrary<Actor> = fc.record(
  {
    ...grounds,
    id: words,
    kind: fc.constantFrom(...actorKinds),
    name,
    version: name,
    issuer: words,
    uid: integer,
    executable: hash,
    attributes: fc.array(fc.record({ name: fc.constantFrom('repository', 'pod'), value: words }, plain), {
      maxLength: 3,
    }),
  },
  required('assurance', 'method', 'source', 'id'),
)
const token: Arbitrary<TokenRef> = fc.record(
  {
    ...{ ...grounds, digest, fingerprint: hash, issuer: words, subject: words, audience: words },
    ...{ clientId: words, tokenId: words, expires: timestamp },
  },
  required('assurance', 'method', 'source', 'digest'),
)

const lineage: Arbitrary<Lineage> = fc.record(
  {
    processes: fc.array(
      fc.record(
        {
          ...{ pid: integer, startTicks: integer, startedAt: timestamp, uid: integer, executable: words, hash },
          ...{ file: fc.constantFrom(...fileStates), missing: words },
        },
        required('pid'),
      ),
      { maxLength: 3 },
    ),
    end: fc.constantFrom(...lineageEnds),
  },
  plain,
)

export const identity: Arbitrary<IdentitySection> = fc.record(
  {
    agent: fc.oneof(actor, absent),
    workload: fc.oneof(actor, absent),
    user: fc.oneof(actor, absent),
    role: fc.oneof(actor, absent),
    token: fc.oneof(token, absent),
    delegation: fc.array(actor, { maxLength: 3 }),
    lineage: fc.oneof(lineage, absent),
  },
  required('agent', 'workload', 'user', 'role', 'token', 'delegation'),
)

export const output: Arbitrary<OutputSection> = fc.record(
  {
    form: fc.constantFrom('result', 'error', 'none'),
    digest,
    blocks: fc.array(fc.record({ type: name, bytes: integer, mimeType: name }, required('type', 'bytes')), {
      maxLength: 4,
    }),
    blocksOmitted: integer,
    structuredBytes: integer,
    rows: integer,
    seen: fc.record({ tags: fc.array(words, { maxLength: 3 }), lookedAtBytes: integer }, plain),
    values: fc.constant({
      key: '0a0a0a0a',
      kept: 'some' as const,
      places: [{ path: '', marks: ['AAAAAAAAAAAAAAAA'] }],
    }),
    errorMessageBytes: integer,
    text: fc.json(),
  },
  required('form', 'blocks', 'blocksOmitted'),
)

const values: Arbitrary<ValueMarks> = fc.record(
  {
    key: fc.stringMatching(/^[0-9a-f]{8}$/),
    kept: fc.constantFrom('all', 'some'),
    places: fc.array(
      fc.record({ path: words, marks: fc.array(fc.stringMatching(/^[A-Za-z0-9+/]{16}$/), { maxLength: 3 }) }, plain),
      { maxLength: 3 },
    ),
  },
  plain,
)

const sqlStatement: Arbitrary<Statement> = fc.record(
  {
    dialect: fc.constantFrom('postgresql', 'tsql'),
    verb: words,
    effect: fc.constantFrom(...statementEffects),
    bound: fc.constantFrom(...statementBounds),
    unparsable: fc.constantFrom('syntax', 'too_long'),
    unseen: fc.array(fc.constantFrom('code', 'routine'), { maxLength: 2 }),
    source: words,
  },
  required('dialect', 'effect', 'unseen', 'source'),
)

export const resources: Arbitrary<ResourcesSection> = fc.record(
  {
    resources: fc.array(
      fc.record(
        {
          type: fc.constantFrom(...resourceTypes),
          name: words,
          dataTypes: fc.array(words, { maxLength: 3 }),
          level: words,
          rows: integer,
          subjectClass: words,
          access: fc.constantFrom('read', 'write'),
          source: words,
        },
        required('type', 'name', 'dataTypes', 'source'),
      ),
      { maxLength: 4 },
    ),
    omitted: integer,
    statements: fc.array(sqlStatement, { maxLength: 3 }),
    statementsOmitted: fc.integer({ min: 1 }),
    values,
    basis: fc.record(
      {
        catalogue: hash,
        entries: fc.array(words, { maxLength: 3 }),
        level: words,
        effect: words,
        place: fc.record({ rank: integer, of: integer }, plain),
        owner: fc.record({ name: words, source: words }, plain),
        problems: fc.array(fc.constantFrom('arguments_unread', 'sql_plugin_missing'), { maxLength: 2 }),
      },
      required('catalogue', 'entries', 'problems'),
    ),
  },
  required('resources', 'omitted'),
)

const approval: Arbitrary<ApprovalRef> = fc.record(
  {
    state: fc.constantFrom('granted', 'required', 'denied', 'would_be_required'),
    id: uuid,
    approver: fc.record(
      { id: words, assurance: fc.constantFrom(...assurances), method: words, issuer: words },
      required('id', 'assurance', 'method'),
    ),
    problem: fc.constant('expired'),
  },
  required('state'),
)

export const decision: Arbitrary<DecisionSection> = fc.record(
  {
    engine: fc.oneof(fc.record({ name: words, version: words }, plain), absent),
    policySet: fc.record({ hash, version: words }, required('hash')),
    policies: fc.array(
      fc.record(
        { id: words, version: words, definition: hash, verdict: fc.constantFrom(...verdicts), reason: words },
        required('id', 'verdict'),
      ),
      { maxLength: 3 },
    ),
    policiesOmitted: integer,
    determining: fc.array(words, { maxLength: 3 }),
    conditions: fc.array(
      fc.record(
        { policy: words, condition: words, value: name, result: fc.constantFrom('holds', 'fails', 'error') },
        plain,
      ),
      { maxLength: 3 },
    ),
    obligations: fc.array(words, { maxLength: 3 }),
    approval,
    problem: fc.constant('engine_failed'),
    rationale: words,
  },
  required('engine', 'policies', 'conditions', 'obligations', 'rationale'),
)

const statement = { kind: fc.constantFrom(...purposeKinds), statement: words, source: words }

export const purpose: Arbitrary<PurposeSection> = fc.oneof(
  absent,
  fc.record(
    {
      ...statement,
      assurance: fc.constant('claimed' as const),
      more: fc.array(fc.record(statement, plain), { maxLength: 3 }),
    },
    required('kind', 'statement', 'assurance', 'source'),
  ),
)

const processFacts: Arbitrary<ProcessFacts> = fc.record(
  { pid: integer, startedAt: timestamp, executable: words, executableHash: hash, startTicks: integer, version: words },
  required('pid'),
)
const port = fc.nat(65_535)
const containment: Arbitrary<Containment> = fc.record(
  {
    container: fc.oneof(
      absent,
      fc.record({ id: words, runtime: words, podUid: words, source: words }, required('source')),
    ),
    cgroup: words,
    pidNamespace: fc.oneof(
      absent,
      fc.record({ id: integer, place: fc.constantFrom('initial' as const, 'nested' as const) }, plain),
    ),
  },
  required('container', 'pidNamespace'),
)
const posture: Arbitrary<Posture> = fc.record(
  {
    source: words,
    state: fc.constantFrom('fresh' as const, 'stale' as const),
    takenAt: timestamp,
    ageMs: integer,
    signals: fc.array(fc.record({ name: words, value: name }, plain), { maxLength: 3 }),
    omitted: integer,
    failure: words,
  },
  required('source', 'state', 'takenAt', 'ageMs', 'signals', 'omitted'),
)

export const environment: Arbitrary<EnvironmentSection> = fc.record(
  {
    host: fc.oneof(
      absent,
      fc.record(
        {
          ...{ os: words, arch: words, osVersion: words, name: words, region: words, zone: words, node: words },
          ...{ pod: words, namespace: words, container: words, image: words },
          sources: fc.array(fc.record({ member: words, source: words }, plain), { maxLength: 2 }),
        },
        required('os', 'arch'),
      ),
    ),
    processes: fc.oneof(
      absent,
      fc.record(
        { sensor: processFacts, client: fc.oneof(processFacts, absent), server: fc.oneof(processFacts, absent) },
        plain,
      ),
    ),
    containment,
    posture: fc.oneof(absent, posture),
    network: fc.oneof(
      absent,
      fc.array(
        fc.record(
          {
            peer: fc.constantFrom('client' as const, 'server' as const),
            protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'unix' as const),
            localAddress: name,
            localPort: port,
            remoteAddress: name,
            remotePort: port,
          },
          plain,
        ),
        { maxLength: 2 },
      ),
    ),
    ids: fc.record({ requestId: words, conversationId: name, taskId: name, method: name }, required()),
    redactions: fc.array(
      fc.record({ path: name, rule: words, bytes: integer, digest }, required('path', 'rule', 'bytes')),
      { maxLength: 3 },
    ),
    redactionsOmitted: integer,
  },
  required('host', 'processes', 'network', 'ids', 'redactions', 'redactionsOmitted'),
)
