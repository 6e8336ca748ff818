import { isSigned } from './commit.ts'
import { type Commit, commitFrameBytes, commitLength, decodeCommit, decodeFrame, frameTypes } from './frame.ts'
import type { Window } from './window.ts'

const stepBytes = 1024 * 1024
const zeros = Buffer.alloc(stepBytes + commitFrameBytes)
/** What a commit frame begins with. */
const commitMark = Buffer.alloc(4)
commitMark.writeUInt32BE(commitLength)

async function* steps(window: Window, from: number): AsyncGenerator<{ bytes: Buffer; offset: number }> {
  for (let offset = from; ; offset += stepBytes) {
    // Steps overlap by a commit frame, so that none is cut in two.
    const { buffer, byteOffset, length } = await window.at(offset, zeros.length)
    if (length === 0) return
    yield { bytes: Buffer.from(buffer, byteOffset, Math.min(length, zeros.length)), offset }
  }
}

/** Offset of the first byte that is not zero; undefined where there is none. */
export async function findNonZero(window: Window, from: number): Promise<number | undefined> {
  for await (const { bytes, offset } of steps(window, from)) {
    if (isZero(bytes)) continue
    return offset + bytes.findIndex((byte) => byte !== 0)
  }
  return undefined
}

/** Bytes from the offset to the last one that is not zero. */
export async function measureTail(window: Window, from: number): Promise<number> {
  let end = from
  for await (const { bytes, offset } of steps(window, from)) {
    if (!isZero(bytes)) end = offset + bytes.findLastIndex((byte) => byte !== 0) + 1
  }
  return end - from
}

const isZero = (bytes: Buffer) => bytes.equals(zeros.subarray(0, bytes.length))

/**
 * Looks behind a break for a commit that the sensor signed when more than `records` records were durable. Such a commit
 * proves that what is broken was whole once; any other may have reached the disk before what stands in front of it.
 */
export async function findLaterCommit(
  window: Window,
  from: number,
  known: { streamId: string; sensorKey: Uint8Array; records: number },
): Promise<Commit | undefined> {
  for await (const { bytes } of steps(window, from)) {
    for (let at = bytes.indexOf(commitMark); at >= 0; at = bytes.indexOf(commitMark, at + 1)) {
      const result = decodeFrame(bytes.subarray(at), commitLength)
      if (result.status !== 'frame' || result.frame.type !== frameTypes.commit) continue
      const commit = decodeCommit(result.frame.payload)
      if (commit === undefined || commit.durableCount <= known.records) continue
      if (isSigned(known.streamId, commit, known.sensorKey)) return commit
    }
  }
  return undefined
}
