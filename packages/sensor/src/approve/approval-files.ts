import { join } from 'node:path'
import { RecordError } from '@affidavit/evidence/record/error'
import type { Uuid } from '@affidavit/evidence/record/header'
import { isUuidV7 } from '@affidavit/evidence/record/id'
import {
  type ApprovalRequest,
  approvalBytesMax,
  encodeApprovalRequest,
  parseApprovalRequest,
} from '@affidavit/evidence/wire/approval'
import { type FileLayer, systemLayer } from '../durable/layer.ts'
import { createDirectory, createOnce, sweepTemporaries, tryUnlink } from '../durable/write.ts'

/**
 * Requests, what was decided on them, and the uses that were made of it: files of mode 0600 in one folder of the home, each
 * written once and never changed.
 *
 *   ID.request      what is asked
 *   ID.approvers    who may decide, as a hint for whoever is about to sign; nobody who verifies reads it
 *   ID.verdict      the statement of whoever decided, and his signature
 *   ID.denied       denied by somebody who proved himself by a token: nothing is signed, for it lets nothing through
 *   ID.use-N        call number N that made use of it
 */
export interface ApprovalFiles {
  /** Requests whose time is not over, oldest first, with what lies beside them. Removes those whose time is over. */
  list(nowMs: number): Promise<HeldRequest[]>
  find(id: Uuid): Promise<HeldRequest | undefined>
  /** JSON, as it was written with the request; undefined where there is none. */
  readApprovers(id: Uuid): Promise<string | undefined>
  write(request: ApprovalRequest, approvers: string): Promise<void>
  /** What was there before stays. */
  decide(id: Uuid, kind: 'verdict' | 'denied', bytes: Uint8Array): Promise<'created' | 'exists'>
  /** Whether the use is ours: of all who try, one gets each. */
  claim(id: Uuid, uses: number): Promise<boolean>
}

export interface HeldRequest {
  request: ApprovalRequest
  /** The signed statement as it lies there; nothing of it is verified. */
  verdict: Uint8Array | undefined
  isDenied: boolean
  uses: number
}

const idleTemporariesMs = 600_000

export function openApprovalFiles(folder: string, layer: FileLayer = systemLayer): ApprovalFiles {
  const pathOf = (id: Uuid, kind: string) => join(folder, `${id}.${kind}`)

  const read = async (id: Uuid, names: readonly string[]): Promise<HeldRequest | undefined> => {
    const request = parse(await layer.readFile(pathOf(id, 'request')))
    // Another name than it was written under: somebody put it there.
    if (request?.id !== id) return undefined
    return {
      request,
      verdict: await layer.readFile(pathOf(id, 'verdict')),
      isDenied: names.includes(`${id}.denied`),
      uses: names.filter((name) => name.startsWith(`${id}.use-`)).length,
    }
  }

  const remove = async (id: Uuid, names: readonly string[]): Promise<void> => {
    // The request goes last: a crash in between leaves one that is over, and is found and removed again.
    const all = names.filter((name) => name.startsWith(`${id}.`) && name !== `${id}.request`)
    for (const name of [...all, `${id}.request`]) await tryUnlink(layer, join(folder, name))
  }

  return {
    async list(nowMs) {
      const names = await layer.list(folder)
      await sweepTemporaries(layer, folder, idleTemporariesMs)
      const held: HeldRequest[] = []
      for (const id of idsOf(names)) {
        const found = await read(id, names)
        if (found !== undefined && nowMs < endOf(found.request)) held.push(found)
        else await remove(id, names)
      }
      return held
    },
    async find(id) {
      return isUuidV7(id) ? read(id, await layer.list(folder)) : undefined
    },
    async readApprovers(id) {
      const bytes = await layer.readFile(pathOf(id, 'approvers'))
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
    },
    async write(request, approvers) {
      await createDirectory(layer, folder)
      // The request comes last: where it is, all of it is there.
      await createOnce(layer, pathOf(request.id, 'approvers'), Buffer.from(approvers))
      await createOnce(layer, pathOf(request.id, 'request'), encodeApprovalRequest(request))
    },
    decide: (id, kind, bytes) => createOnce(layer, pathOf(id, kind), bytes),
    async claim(id, uses) {
      for (let use = 1; use <= uses; use++) {
        const made = await createOnce(layer, pathOf(id, `use-${use}`), new Uint8Array(0))
        if (made === 'created') return true
      }
      return false
    },
  }
}

function idsOf(names: readonly string[]): Uuid[] {
  const ids = names.flatMap((name) => (name.endsWith('.request') ? [name.slice(0, -'.request'.length)] : []))
  return ids.filter(isUuidV7).toSorted()
}

/** No approval counts beyond this: one that was given in the last moment has its whole window. */
function endOf({ closes, windowSeconds }: ApprovalRequest): number {
  return Date.parse(closes) + windowSeconds * 1000
}

/** Undefined where there is none, or it is nothing that we wrote. */
function parse(bytes: Uint8Array | undefined): ApprovalRequest | undefined {
  if (bytes === undefined || bytes.length > approvalBytesMax) return undefined
  try {
    return parseApprovalRequest(bytes)
  } catch (error) {
    if (error instanceof RecordError) return undefined
    throw error
  }
}
