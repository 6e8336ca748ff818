import type { Uuid } from '@affidavit/evidence/record/header'
import { IngestProblem } from './problem.ts'

const recentMax = 10_000

interface Recent {
  /** SHA-256 of the report, base64. */
  hash: string
  /** Rejects where it could not be recorded; then it is forgotten. */
  recorded: Promise<Uuid>
}

/**
 * Reports of which a repetition is recognised: those with a key, and the ends of calls. The last 10,000 of this process;
 * beyond that, and after a restart, what is reported again is recorded again.
 */
export class RecentReports {
  readonly #byKey = new Map<string, Recent>()

  /** Throws IngestProblem where the key stands for another report. */
  find(key: string, hash: string): Promise<Uuid> | undefined {
    const found = this.#byKey.get(key)
    if (found !== undefined && found.hash !== hash)
      throw new IngestProblem('AFD_INGEST_KEY_REUSED', 'key', 'the same key came with another report before')
    return found?.recorded
  }

  /** Remembers a report while it is being recorded, and afterwards unless that fails. */
  add(key: string, hash: string, recorded: Promise<Uuid>): Promise<Uuid> {
    const recent = { hash, recorded: this.#forgetFailed(key, recorded) }
    this.#byKey.set(key, recent)
    for (const oldest of this.#byKey.keys()) {
      if (this.#byKey.size <= recentMax) break
      this.#byKey.delete(oldest)
    }
    return recent.recorded
  }

  async #forgetFailed(key: string, recorded: Promise<Uuid>): Promise<Uuid> {
    try {
      return await recorded
    } catch (error) {
      this.#byKey.delete(key)
      throw error
    }
  }
}
