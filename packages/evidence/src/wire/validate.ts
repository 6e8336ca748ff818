import type { Batch } from './batch.ts'

/** A batch may not be larger; shippers aim far lower and end at the next signed commit. */
export const batchRecordsMax = 65_535
/** Headers and bodies together. Twice a spool segment, because one group commit may hold several of the largest records. */
export const batchBytesMax = 128 * 1024 * 1024

export const batchProblemCodes = ['batch_empty', 'batch_too_large', 'batch_malformed'] as const
export type BatchProblemCode = (typeof batchProblemCodes)[number]

export interface BatchProblem {
  code: BatchProblemCode
  reason: string
}

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const keyId = /^[0-9a-f]{8}$/
const hash = /^[A-Za-z0-9+/]{43}=$/
const signatureBytes = 64
/** Ephemeral key, AES-GCM over 32 bytes, tag. */
const sealedSecretBytes = 32 + 32 + 16

/**
 * What can be said about a batch without keys and without opening a record: sizes, counts, and that head and records
 * agree on where they are. Undefined where nothing is wrong.
 */
export function findBatchProblem(batch: Batch): BatchProblem | undefined {
  const malformed = (reason: string): BatchProblem => ({ code: 'batch_malformed', reason })
  const { records, head, firstSeq } = batch
  if (records.length === 0) return { code: 'batch_empty', reason: 'a batch holds at least one record' }
  if (!uuidV7.test(batch.streamId)) return malformed('streamId is not a UUID of version 7 in lower case')
  if (head.streamId !== batch.streamId) return malformed('the signed head names another stream')
  if (!Number.isSafeInteger(firstSeq) || firstSeq < 0) return malformed('firstSeq is not a sequence number')
  if (head.seq !== firstSeq + records.length - 1) return malformed('the signed head is not the last record')
  if (!hash.test(head.hash)) return malformed('the hash of the head is not base64 of 32 bytes')
  if (batch.signature.length !== signatureBytes) return malformed(`a signature has ${signatureBytes} bytes`)
  if (!keyId.test(batch.secret.keyId)) return malformed('keyId is not 8 hex digits')
  if (batch.secret.sealed.length !== sealedSecretBytes) return malformed('the sealed stream secret has a wrong length')
  return findSizeProblem(batch)
}

function findSizeProblem({ records }: Batch): BatchProblem | undefined {
  const bytes = records.reduce((sum, { header, body }) => sum + header.length + body.length, 0)
  if (records.length <= batchRecordsMax && bytes <= batchBytesMax) return undefined
  const reason = `${records.length} records of ${bytes} bytes, at most ${batchRecordsMax} of ${batchBytesMax}`
  return { code: 'batch_too_large', reason }
}
