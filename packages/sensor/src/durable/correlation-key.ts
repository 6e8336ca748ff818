import { randomBytes } from 'node:crypto'
import { openHome } from './home.ts'

/**
 * The home's correlation key. Where it cannot be had, calls are refused anyway (or pass unrecorded under a gap); until the
 * home comes back a random key stands in, so that no value is ever digested without one. `onUnusable` hears the code.
 */
export async function loadCorrelationKey(homeDir: string, onUnusable: (code: string) => void): Promise<Uint8Array> {
  try {
    const home = await openHome(homeDir)
    return (await home.correlationKey()).key
  } catch (error) {
    onUnusable(error instanceof Error && 'code' in error ? String(error.code) : 'unknown')
    return randomBytes(32)
  }
}
