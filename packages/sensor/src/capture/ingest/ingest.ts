import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Admit, createAdmit } from './admit.ts'
import { Aborted, bodyBytesOf, readBody } from './body.ts'
import type { ReportContext } from './draft.ts'
import { takeExchanges } from './exchanges.ts'
import { takeTraces } from './otlp/traces.ts'
import { IngestProblem } from './problem.ts'
import { ReportedCalls } from './reported-calls.ts'

export interface IngestParts extends ReportContext {
  /** Bearer tokens that are accepted. Without any, only processes on this machine may report. */
  tokens: readonly string[]
}

export interface Ingest {
  /** Answers one request, whatever it is. Never rejects. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>
  /** No more requests come: calls that were reported as begun and not as ended get their outcome, `unknown`. */
  finish(): Promise<void>
}

/** What a route says to a body it could read. */
export interface Answer {
  contentType: string
  body: string | Uint8Array
}

/** How one route reads, answers and refuses; `mediaType` is the request's, in lower case and without parameters. */
export interface Route {
  take(calls: ReportedCalls, body: Buffer, from: { mediaType: string; address: string }): Promise<Answer>
  /** Throws IngestProblem where the media type is none of the route's. */
  checkMediaType(mediaType: string): void
  refuse(problem: IngestProblem, mediaType: string): Answer
}

/** Requests that are worked on at a time, and what their bodies take together; more are asked to wait. */
const requestsMax = 1000
const bytesMax = 32 * 1024 * 1024

const routes = new Map<string, Route>([
  ['/v1/exchanges', takeExchanges],
  ['/v1/traces', takeTraces],
])

/**
 * `POST /v1/exchanges` (docs/INGEST.md) and `POST /v1/traces` (OTLP/HTTP): records of exchanges that this sensor did not
 * see. What is answered with 200 is durable.
 */
export function createIngest({ tokens, ...context }: IngestParts): Ingest {
  const calls = new ReportedCalls(context)
  const admit = createAdmit(tokens)
  const state = { requests: 0, bytes: 0 }
  return {
    finish: () => calls.finish(),
    async handle(req, res) {
      const path = (req.url ?? '').split('?', 1)[0] ?? ''
      const route = routes.get(path)
      const mediaType = mediaTypeOf(req)
      const bytes = bodyBytesOf(req)
      state.requests++
      state.bytes += bytes
      try {
        if (state.requests > requestsMax || state.bytes > bytesMax)
          throw new IngestProblem('AFD_INGEST_BUSY', '', 'too many reports at once')
        const from = { mediaType, address: req.socket.remoteAddress ?? 'a local socket' }
        const body = await readReport(req, admit, route)
        send(res, 200, await (route ?? takeExchanges).take(calls, body, from))
      } catch (error) {
        if (error instanceof Aborted) return
        const problem = toProblem(error)
        tell(context, problem)
        refuse(res, problem, (route ?? takeExchanges).refuse(problem, mediaType))
        // What is left of the body passes unread; a client that is still writing would not see the answer otherwise.
        req.resume()
      } finally {
        state.requests--
        state.bytes -= bytes
      }
    },
  }
}

async function readReport(req: IncomingMessage, admit: Admit, route: Route | undefined): Promise<Buffer> {
  admit(req)
  if (route === undefined)
    throw new IngestProblem('AFD_INGEST_NOT_FOUND', 'path', `known are ${[...routes.keys()].join(', ')}`)
  if (req.method !== 'POST') throw new IngestProblem('AFD_INGEST_METHOD', 'method', 'only POST is understood')
  route.checkMediaType(mediaTypeOf(req))
  return readBody(req)
}

function mediaTypeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function toProblem(error: unknown): IngestProblem {
  if (error instanceof IngestProblem) return error
  return new IngestProblem(
    'AFD_DEFECT',
    '',
    `a defect of this program (${error instanceof Error ? error.name : 'unknown'})`,
  )
}

/** What the operator has to know, too. */
function tell({ diagnose }: ReportContext, { code, message }: IngestProblem): void {
  if (code === 'AFD_AUDIT_UNAVAILABLE') diagnose(code, `reports are refused: ${message}`)
  if (code === 'AFD_INGEST_UNAUTHORIZED') diagnose(code, `a report was refused: ${message}`)
  if (code === 'AFD_DEFECT') diagnose(code, message)
}

function refuse(res: ServerResponse, problem: IngestProblem, answer: Answer): void {
  const { retryAfterS, status } = problem
  if (retryAfterS !== undefined) res.setHeader('Retry-After', retryAfterS)
  if (status === 401) res.setHeader('WWW-Authenticate', 'Bearer')
  if (status === 405) res.setHeader('Allow', 'POST')
  send(res, status, answer)
}

function send(res: ServerResponse, status: number, { contentType, body }: Answer): void {
  res.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) })
  res.end(body)
}
