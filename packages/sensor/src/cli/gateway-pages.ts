import type { IncomingMessage, ServerResponse } from 'node:http'

/** What the gateway says of itself over HTTP. */
export interface PageSource {
  /** Undefined where requests can be recorded; else why not, as a code. */
  whyNotReady(): Promise<string | undefined>
  metrics(isReady: boolean): string
}

type Page = (source: PageSource) => Promise<{ status: number; type: string; text: string }>

const json = 'application/json'

const pages: Readonly<Record<string, Page>> = {
  '/healthz': async () => ({ status: 200, type: json, text: '{"status":"ok"}\n' }),
  '/readyz': async (source) => {
    const code = await source.whyNotReady()
    return code === undefined
      ? { status: 200, type: json, text: '{"status":"ready"}\n' }
      : { status: 503, type: json, text: `${JSON.stringify({ status: 'not ready', code })}\n` }
  },
  '/metrics': async (source) => ({
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
    text: source.metrics((await source.whyNotReady()) === undefined),
  }),
}

/** Answers pages of our own; undefined where the path is none of them. */
export function createPages(source: PageSource) {
  return (request: IncomingMessage, response: ServerResponse): Promise<void> | undefined => {
    const page = pages[(request.url ?? '').split('?')[0] ?? '']
    if (page === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return undefined
    request.resume()
    return page(source).then(({ status, type, text }) => {
      response.writeHead(status, {
        'Content-Type': type,
        'Content-Length': Buffer.byteLength(text),
        'Cache-Control': 'no-store',
      })
      response.end(request.method === 'HEAD' ? undefined : text)
    })
  }
}
