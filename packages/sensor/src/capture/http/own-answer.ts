import type { ServerResponse } from 'node:http'

/** Answers that are ours: for requests that did not go on, and for results that may not be let go. */

export interface OwnAnswer {
  status: number
  body: Uint8Array
  headers?: readonly [name: string, value: string][]
}

/** Where part of another answer is out already, the connection is cut: half an answer must not look like one. */
export function sendOwn(response: ServerResponse, { status, body, headers = [] }: OwnAnswer): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  response.writeHead(status, [
    ...['Content-Type', 'application/json', 'Content-Length', String(body.length), 'Cache-Control', 'no-store'],
    ...headers.flat(),
  ])
  response.end(body)
}

/** What is no exchange of MCP is answered by a plain object: a stable code, a sentence, what to do. */
export function plainError(code: string, message: string): Uint8Array {
  return Buffer.from(`${JSON.stringify({ error: { code, message } })}\n`)
}
