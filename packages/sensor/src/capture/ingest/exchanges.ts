import type { Answer, Route } from './ingest.ts'
import { createPace } from './pace.ts'
import { parseReport } from './parse-report.ts'
import { IngestProblem } from './problem.ts'
import type { Report } from './report.ts'

const exchangesMax = 1000
const lineFeed = 0x0a

/** `POST /v1/exchanges`: one JSON object, or one a line. */
export const takeExchanges: Route = {
  checkMediaType(mediaType) {
    if (mediaType !== 'application/json' && mediaType !== 'application/x-ndjson')
      throw new IngestProblem(
        'AFD_INGEST_MEDIA_TYPE',
        'Content-Type',
        'application/json and application/x-ndjson are understood',
      )
  },
  async take(calls, body, { mediaType, address }) {
    const reports = mediaType === 'application/json' ? [parseReport(body, address)] : await parseLines(body, address)
    const accepted = await calls.record(reports)
    const shown = accepted.map(({ callId, repeated }) => (repeated ? { callId, repeated } : { callId }))
    return toJson({ accepted: shown })
  },
  refuse: ({ code, where, message, retryAfterS }) =>
    toJson({ error: { code, ...(where === '' ? {} : { where }), message, retry: retryAfterS !== undefined } }),
}

async function parseLines(body: Buffer, address: string): Promise<Report[]> {
  const reports: Report[] = []
  const pace = createPace()
  let line = 0
  for (let start = 0; start < body.length; ) {
    const feed = body.indexOf(lineFeed, start)
    const end = feed === -1 ? body.length : feed
    const bytes = body.subarray(start, end)
    line++
    start = end + 1
    if (isBlank(bytes)) continue
    if (reports.length === exchangesMax)
      throw new IngestProblem('AFD_INGEST_TOO_LARGE', `line ${line}`, `at most ${exchangesMax} exchanges at a time`)
    reports.push(parseLine(bytes, address, line))
    await pace()
  }
  return reports
}

function parseLine(bytes: Uint8Array, address: string, line: number): Report {
  try {
    return parseReport(bytes, address)
  } catch (error) {
    throw error instanceof IngestProblem ? error.within(`line ${line}`) : error
  }
}

/** RFC 8259 §2. */
function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}

function toJson(value: object): Answer {
  return { contentType: 'application/json', body: `${JSON.stringify(value)}\n` }
}
