import { createServer, type Server } from 'node:http'
import { z } from 'zod'
import { createIngest, type IngestParts } from '../capture/ingest/ingest.ts'
import { formatDiagnostic } from './diagnostics.ts'
import type { At } from './gateway-config.ts'
import { formatListen, isLoopback, listenAddress, parseListen } from './listen-address.ts'
import { readSecret, resolveSecretSource, secretSource } from './secret-source.ts'
import { UsageError } from './usage-error.ts'

/** The block `ingest` of affidavit.yaml (docs/INGEST.md). */
export const ingestSchema = z.strictObject({
  listen: listenAddress.describe('HOST:PORT; OTLP/HTTP has 4318'),
  plaintext: z.literal(true).optional().describe('listen beyond loopback, because something in front ends TLS'),
  token: secretSource.optional().describe('bearer token; without one only programs on this machine may report'),
})

export type IngestConfig = z.infer<typeof ingestSchema>

const what = 'token of ingest'
const headTimeoutMs = 10_000
const bodyTimeoutMs = 60_000
const idlePollMs = 50

/** The same block with the token's file named from the root; `folder` is the configuration file's. */
export function resolveIngest(config: IngestConfig, folder: string): IngestConfig {
  return config.token === undefined ? config : { ...config, token: resolveSecretSource(config.token, folder) }
}

/** Throws UsageError `AFD_CONFIG_INVALID`, and `AFD_SECRET_UNREADABLE` where the token cannot be read now. */
export function checkIngest(at: At, config: IngestConfig): void {
  if (!isLoopback(parseListen(config.listen)?.host ?? '')) {
    const place = `${at('ingest', 'listen')}: ${config.listen} is reachable from other machines`
    if (config.token === undefined)
      throw new UsageError(
        'AFD_CONFIG_INVALID',
        `${place}, and there is no token`,
        'Give token, or listen on 127.0.0.1.',
      )
    if (config.plaintext !== true)
      throw new UsageError(
        'AFD_CONFIG_INVALID',
        `${place} without TLS`,
        'Listen on 127.0.0.1, or say plaintext: true where something in front ends TLS.',
      )
  }
  readTokens(config)
}

function readTokens({ token }: IngestConfig): string[] {
  return token === undefined ? [] : [readSecret(token, process.env, what)]
}

export interface ServedIngest {
  /** Takes no more reports; resolves when those under way are answered or `limitMs` is over, and open calls have their end. */
  drain(limitMs: number): Promise<void>
}

/** Listens for reports. Throws UsageError `AFD_LISTEN_FAILED` where it cannot. */
export async function serveIngest(config: IngestConfig, parts: Omit<IngestParts, 'tokens'>): Promise<ServedIngest> {
  const ingest = createIngest({ ...parts, tokens: readTokens(config) })
  const server = createServer({ headersTimeout: headTimeoutMs, requestTimeout: bodyTimeoutMs }, (req, res) => {
    void ingest.handle(req, res)
  })
  await listen(server, config)
  return {
    async drain(limitMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      // Connections become idle one by one, as their last report is answered.
      const closing = setInterval(() => server.closeIdleConnections(), idlePollMs)
      const limit = setTimeout(() => server.closeAllConnections(), limitMs)
      await closed
      clearInterval(closing)
      clearTimeout(limit)
      await ingest.finish()
    },
  }
}

async function listen(server: Server, config: IngestConfig): Promise<void> {
  const { host, port } = parseListen(config.listen) ?? { host: '127.0.0.1', port: 0 }
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, resolve)
    })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    throw new UsageError(
      'AFD_LISTEN_FAILED',
      `ingest.listen: ${config.listen} cannot be had (${String(error.code)})`,
      'Another program may have it, such as an OpenTelemetry Collector; give another port, or end that program.',
    )
  }
  const address = server.address()
  const bound = address === null || typeof address === 'string' ? port : address.port
  process.stderr.write(
    formatDiagnostic('AFD_LISTENING', `reports are taken on http://${formatListen({ host, port: bound })}`),
  )
}
