/** Why a report was not taken. Told to the reporter; holds no values of the report. */

/** HTTP status, and seconds to wait where the same report may be taken later. */
const answers = {
  AFD_INGEST_MALFORMED: { status: 400 },
  AFD_INGEST_UNAUTHORIZED: { status: 401 },
  AFD_INGEST_NOT_FOUND: { status: 404 },
  AFD_INGEST_UNKNOWN_CALL: { status: 404 },
  AFD_INGEST_METHOD: { status: 405 },
  AFD_INGEST_KEY_REUSED: { status: 409 },
  AFD_INGEST_TOO_LARGE: { status: 413 },
  AFD_INGEST_MEDIA_TYPE: { status: 415 },
  AFD_INGEST_BUSY: { status: 429, retryAfterS: 1 },
  AFD_AUDIT_UNAVAILABLE: { status: 503, retryAfterS: 1 },
  AFD_DEFECT: { status: 500 },
} as const

export type IngestCode = keyof typeof answers

export class IngestProblem extends Error {
  override readonly name = 'IngestProblem'
  readonly code: IngestCode
  /** A line, a path of keys, a byte offset; empty where there is nothing to point at. */
  readonly where: string

  constructor(code: IngestCode, where: string, message: string) {
    super(message)
    this.code = code
    this.where = where
  }

  get status(): number {
    return answers[this.code].status
  }

  get retryAfterS(): number | undefined {
    const answer = answers[this.code]
    return 'retryAfterS' in answer ? answer.retryAfterS : undefined
  }

  /** The same problem, with a place around where it was found. */
  within(place: string): IngestProblem {
    return new IngestProblem(this.code, this.where === '' ? place : `${place}, ${this.where}`, this.message)
  }
}
