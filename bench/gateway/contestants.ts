import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { stopCollector } from '../measure.ts'
import type { Era } from './jobs.ts'
import { freePort, listen, program } from './processes.ts'

/** What stands between client and server in a measurement. */
export interface Contestant {
  name: Name
  url: string
  /** Of the process in the path; undefined where there is none. */
  pid: number | undefined
  stop(): Promise<void>
}

export const names = ['direct', 'bare', 'capture', 'everything', 'mcp-proxy', 'supergateway'] as const
export type Name = (typeof names)[number]

/** What was compared, in words. */
export const meanings: Record<Name, string> = {
  direct: 'the client calls the server',
  bare: 'a proxy on node:http that passes bytes and looks into nothing',
  capture: 'affidavit gateway --collector none: every exchange recorded durably on this machine',
  everything: 'affidavit gateway with its collector: records shipped, sequenced into the log, indexed',
  'mcp-proxy':
    'its functions startHTTPServer and proxyServer around a Streamable HTTP client (its command only starts stdio servers); no records',
  supergateway:
    'two of it in a row, streamableHttp → stdio → streamableHttp --stateful: it has no mode that leads from HTTP to HTTP; no records',
}

/** supergateway starts two processes per modern request and answers a few a second: there is nothing to compare. */
export const serves = (name: Name, era: Era) => era === 'legacy' || name !== 'supergateway'

const affidavit = join(import.meta.dirname, '../../packages/affidavit/dist/cli/main.js')
const supergateway = join(dirname(createRequire(import.meta.url).resolve('supergateway/package.json')), 'dist/index.js')

export interface Setting {
  /** Where homes and configurations go. */
  folder: string
  /** URL of the server behind. */
  upstream: string
  /** Injected into every sync of the gateways. */
  syncDelayMs?: number
}

let started = 0

export async function startContestant(name: Name, setting: Setting): Promise<Contestant> {
  const { upstream } = setting
  if (name === 'direct') return { name, url: upstream, pid: undefined, stop: async () => undefined }
  if (name === 'capture' || name === 'everything') return startGateway(name, setting)
  const port = await freePort()
  const { pid, stop } = await listen(argvOf(name, port, upstream), port)
  return { name, url: `http://127.0.0.1:${port}/mcp`, pid, stop }
}

function argvOf(name: 'bare' | 'mcp-proxy' | 'supergateway', port: number, upstream: string): string[] {
  if (name === 'bare') return [program('bare-proxy'), String(port), upstream]
  if (name === 'mcp-proxy') return [program('mcp-proxy'), String(port), upstream]
  const quiet = ['--logLevel', 'none']
  const inner = [process.execPath, supergateway, '--streamableHttp', upstream, ...quiet].join(' ')
  return [
    supergateway,
    '--stdio',
    inner,
    '--outputTransport',
    'streamableHttp',
    '--stateful',
    '--port',
    String(port),
    ...quiet,
  ]
}

async function startGateway(name: 'capture' | 'everything', setting: Setting): Promise<Contestant> {
  const { folder, upstream, syncDelayMs = 0 } = setting
  const own = join(folder, `${name}-${++started}`)
  const home = join(own, 'home')
  const config = join(own, 'affidavit.yaml')
  const port = await freePort()
  mkdirSync(own)
  writeFileSync(config, `listen: 127.0.0.1:${port}\nupstreams:\n  echo: { url: "${upstream}" }\n`)
  const collector = name === 'capture' ? ['--collector', 'none'] : []
  const argv = [affidavit, 'gateway', '--config', config, '--home', home, ...collector]
  const gateway = await listen(argv, port, { ...process.env, AFFIDAVIT_TEST_SYNC_DELAY_MS: String(syncDelayMs) })
  const stop = async () => {
    await gateway.stop()
    await stopCollector(home)
  }
  return { name, url: `http://127.0.0.1:${port}/mcp/echo`, pid: gateway.pid, stop }
}
