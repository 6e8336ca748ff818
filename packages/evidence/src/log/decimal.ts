import { VerifyError, type VerifyErrorCode } from './error.ts'

/** Largest size or index of a log. A double cannot hold it: everything an outsider states is a bigint. */
export const sizeMax = 2n ** 64n - 1n

const pattern = /^(?:0|[1-9][0-9]{0,19})$/

/** ASCII decimal without leading zeroes, 0…2^64 − 1 (tlog-checkpoint, tlog-witness, tlog-proof). Throws VerifyError with `code`. */
export function parseDecimal(text: string, code: VerifyErrorCode, what: string): bigint {
  const value = pattern.test(text) ? BigInt(text) : -1n
  if (value >= 0n && value <= sizeMax) return value
  throw new VerifyError(code, `${what} is not a decimal number up to 2^64 − 1`, { text: text.slice(0, 40) })
}

/** A size as a number, for code that builds or walks a tree. Throws VerifyError `bad_size` above 2^53 − 1. */
export function toSafeNumber(size: bigint): number {
  if (size >= 0n && size <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(size)
  throw new VerifyError('bad_size', `a tree of size ${size} cannot be walked here`, { size: `${size}` })
}
