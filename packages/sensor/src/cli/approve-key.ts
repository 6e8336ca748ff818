import { type KeyObject, sign } from 'node:crypto'
import { encodeIdentity, type IdentitySection } from '@affidavit/evidence/record/identity-section'
import { type ApprovalRequest, encodeApprovalStatement, toApprovalMessage } from '@affidavit/evidence/wire/approval'
import { encodeSignedLine } from '@affidavit/evidence/wire/signed-line'
import { z } from 'zod'
import { type ApprovalFiles, openApprovalFiles } from '../approve/approval-files.ts'
import { findApprover, isSamePerson, type KeyApprover } from '../approve/approvers.ts'
import { toHomePaths } from '../durable/home-paths.ts'
import { readVersion } from '../identity/version.ts'
import { openHomeRecorder } from '../spool/home-recorder.ts'
import { ApprovalError } from './approval-error.ts'
import { toApprovalRecord } from './approval-record.ts'
import { findOpen, listOpen, toStatement } from './approval-requests.ts'
import type { ApprovalPlace } from './approve.ts'
import { toRawKey } from './signing-key.ts'

/** Decides in a home folder, by a key. Whoever verifies does so by the keys of his own configuration. */
export function openHomePlace(homeDir: string, key: KeyObject | undefined): ApprovalPlace {
  const files = openApprovalFiles(toHomePaths(homeDir).approvals)
  return {
    list: () => listOpen(files),
    async find(id) {
      const request = await findOpen(files, id)
      if (key !== undefined) await checkApprover(files, request, toRawKey(key))
      return request
    },
    async decide(request, verdict) {
      if (key === undefined) throw new TypeError('nothing can be decided without a key')
      const line = encodeApprovalStatement(toStatement(request, verdict, toRawKey(key)))
      const signature = sign(null, toApprovalMessage(line), key)
      const signed = encodeSignedLine({ line, signature })
      await record(homeDir, { line, signature, key: toRawKey(key) })
      // A crash here leaves a record of a decision that lets nothing through: it has to be made again.
      if ((await files.decide(request.id, 'verdict', signed)) === 'exists')
        throw new ApprovalError(
          'approval_decided',
          'somebody else was faster; the record says what was decided here, too',
        )
    },
  }
}

const approversSchema = z.array(z.strictObject({ id: z.string(), key: z.string(), alsoKnownAs: z.array(z.string()) }))

/** So that nobody signs in vain. What counts is the configuration of whoever verifies. */
async function checkApprover(files: ApprovalFiles, request: ApprovalRequest, key: string): Promise<void> {
  const approver = findApprover(await readApprovers(files, request), key)
  if (approver === undefined)
    throw new ApprovalError(
      'approval_not_approver',
      `the key ${key} is none of policy.approvals.approvers of the sensor that asks`,
    )
  if (isSamePerson(request, approver))
    throw new ApprovalError(
      'approval_same_person',
      `${approver.id} is one of those who ask; somebody else has to decide`,
    )
}

async function readApprovers(files: ApprovalFiles, { id }: ApprovalRequest): Promise<KeyApprover[]> {
  const text = await files.readApprovers(id)
  const parsed = approversSchema.safeParse(text === undefined ? [] : parseJson(text))
  return parsed.success ? parsed.data : []
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

async function record(
  homeDir: string,
  { line, signature, key }: { line: Uint8Array; signature: Uint8Array; key: string },
): Promise<void> {
  const recorder = openHomeRecorder({ homeDir, failOpen: [], software: `affidavit-sensor ${readVersion()}` })
  const { draft, sections } = toApprovalRecord({ line, signature, method: 'ed25519', identity: identify(key) })
  try {
    await recorder.emit(draft, sections)
    await recorder.close('exit')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new ApprovalError('approval_not_recorded', `the decision could not be recorded (${code}), and does not count`)
  }
}

/** All that is proven is who holds the key; what name goes with it, the sensor's configuration says. */
function identify(key: string): Uint8Array {
  const nobody = { absent: 'somebody decided by a key of his own' }
  const section: IdentitySection = {
    agent: nobody,
    workload: nobody,
    user: {
      kind: 'person',
      id: `ed25519:${key}`,
      assurance: 'verified',
      method: 'ed25519',
      source: 'affidavit approve',
    },
    role: nobody,
    token: nobody,
    delegation: [],
  }
  return encodeIdentity(section)
}
