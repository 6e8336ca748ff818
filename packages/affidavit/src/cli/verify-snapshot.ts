import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseCheckpoint } from '@affidavit/evidence/log/checkpoint'
import { VerifyError } from '@affidavit/evidence/log/error'
import { parseNote } from '@affidavit/evidence/log/note'
import type { ProblemSink } from '@affidavit/evidence/verify/problem'
import type { HomePaths } from '@affidavit/sensor/durable/home-paths'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { z } from 'zod'

const settleMs = 3_000
const pollMs = 50

const identityShape = z.strictObject({
  v: z.literal(1),
  homeId: z.string().regex(/^[0-9a-f]{16}$/),
  tenant: z.string(),
  epoch: z.string(),
  origin: z.string(),
})
const signerShape = z.strictObject({
  v: z.literal(1),
  origin: z.string(),
  size: z.number().int().nonnegative(),
  root: z.string(),
  checkpoint: z.string().optional(),
})

/** The files that say what the log is, read so that they belong to one moment. */
export interface Snapshot {
  origin: string
  checkpoint: Uint8Array | undefined
  /** Checkpoint in the signer's own state. */
  signed: Uint8Array | undefined
  /** The signer's state says so, or is not to be read: a new one begins with an empty tree. */
  hasSigned: boolean
}

/**
 * Checkpoint first, then what the signer signed: it signs before it publishes, so the second is never older. Where a
 * collector is at work and between the two, or before its first checkpoint, this waits for it.
 */
export async function takeSnapshot(
  paths: HomePaths,
  isCollectorAlive: () => boolean,
  problems: ProblemSink,
): Promise<Snapshot> {
  const deadline = Date.now() + settleMs
  let checkpoint = await systemLayer.readFile(paths.checkpoint)
  let signer = await systemLayer.readFile(paths.signerState)
  const isOwed = () => isBehind(checkpoint, signer) || (checkpoint === undefined && existsSync(paths.storeDatabase))
  while (isOwed() && isCollectorAlive() && Date.now() < deadline) {
    await sleep(pollMs)
    checkpoint = await systemLayer.readFile(paths.checkpoint)
    signer = await systemLayer.readFile(paths.signerState)
  }
  const origin = await readOrigin(paths, checkpoint, problems)
  const hasSigned = signer !== undefined && parseSigner(signer)?.size !== 0
  return { origin, checkpoint, signed: readSigned(signer, checkpoint, problems), hasSigned }
}

function isBehind(checkpoint: Uint8Array | undefined, signer: Uint8Array | undefined): boolean {
  const state = signer === undefined ? undefined : parseSigner(signer)
  return state !== undefined && state.size > (readSize(checkpoint) ?? 0)
}

/** home.json is written once, in one spelling. Where it cannot be believed, the log is judged as what it claims to be. */
async function readOrigin(
  paths: HomePaths,
  checkpoint: Uint8Array | undefined,
  problems: ProblemSink,
): Promise<string> {
  const bytes = await systemLayer.readFile(paths.identity)
  const identity = bytes === undefined ? undefined : parseJson(bytes, identityShape)
  const { v, homeId, tenant, epoch, origin } = identity ?? {}
  const isWhole =
    origin === `affidavit.local/${homeId}/${tenant}/${epoch}` && isText(bytes, { v, homeId, tenant, epoch, origin })
  if (isWhole) return origin
  const what = bytes === undefined ? 'is missing' : 'is not what was written'
  problems.add('file_altered', { path: 'home.json' }, `home.json ${what}: it names this home and its log`)
  return readClaimedOrigin(checkpoint) ?? origin ?? ''
}

/** The checkpoint that was signed last. A state that is older than the published checkpoint was put back. */
function readSigned(
  bytes: Uint8Array | undefined,
  checkpoint: Uint8Array | undefined,
  problems: ProblemSink,
): Uint8Array | undefined {
  const path = 'signer/state.json'
  const altered = (why: string) => problems.add('file_altered', { path }, `${path} ${why}`)
  if (bytes === undefined) {
    if (checkpoint !== undefined) altered('is missing: nobody can say what the log key signed last')
    return undefined
  }
  const state = parseSigner(bytes)
  if (state === undefined || !isText(bytes, state)) {
    altered('is not what was written')
    return undefined
  }
  if (state.size < (readSize(checkpoint) ?? 0))
    problems.add(
      'rolled_back',
      { path },
      `${path} knows of ${state.size} entries only, the published checkpoint of more`,
    )
  if (state.checkpoint === undefined) return undefined
  const signed = new Uint8Array(Buffer.from(state.checkpoint))
  if (!agrees(state, signed)) altered('holds a checkpoint that is not for its size and root')
  return signed
}

function agrees({ origin, size, root }: z.infer<typeof signerShape>, signed: Uint8Array): boolean {
  const checkpoint = tryParseCheckpoint(signed)
  return (
    checkpoint?.origin === origin &&
    checkpoint.size === BigInt(size) &&
    Buffer.from(checkpoint.root).toString('base64') === root
  )
}

function readSize(bytes: Uint8Array | undefined): number | undefined {
  const checkpoint = bytes === undefined ? undefined : tryParseCheckpoint(bytes)
  return checkpoint === undefined ? undefined : Number(checkpoint.size)
}

function readClaimedOrigin(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : tryParseCheckpoint(bytes)?.origin
}

function tryParseCheckpoint(bytes: Uint8Array) {
  try {
    return parseCheckpoint(parseNote(bytes).text, 'own')
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

function parseSigner(bytes: Uint8Array): z.infer<typeof signerShape> | undefined {
  return parseJson(bytes, signerShape)
}

function parseJson<T>(bytes: Uint8Array, shape: z.ZodType<T>): T | undefined {
  try {
    return shape.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Whether the file holds exactly this object, in this order, and a newline. */
function isText(bytes: Uint8Array | undefined, value: object): boolean {
  return bytes !== undefined && Buffer.compare(bytes, Buffer.from(`${JSON.stringify(value)}\n`)) === 0
}
