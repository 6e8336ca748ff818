import { Agent, createServer, request } from 'node:http'
import { join } from 'node:path'
import { openHome } from '@affidavit/sensor/durable/home'
import { createDigester } from '../../../packages/sensor/src/crypto/digester.ts'
import { makeRandom } from '../../fault/recorded-disk.ts'
import { collectCalls, makeFolder, oneUpstream, runCli, startCli, writeConfig } from './cli.ts'
import { bodyOf, call, event, result } from './gatewayed.ts'
import { listenUntilEnd } from './serve.ts'

/** Kills a gateway again and again under 200 concurrent calls, and compares what both ends saw with the log. */

export interface GatewayKills {
  kills: number
  /** Printed by the caller: the same seed gives the same delays. */
  seed: number
}

export interface KilledGateway {
  /** Ids of the calls that reached the server. */
  reached: string[]
  /** Ids of the calls whose results the client got whole. */
  answered: string[]
  /** Of every call in the log; undefined where one has none. */
  outcomes: (string | undefined)[]
  /** Of the calls with this id. */
  outcomesOf(id: string): (string | undefined)[]
  verified: { code: number | null; out: string }
}

const concurrency = 200

export async function killGateway({ kills, seed }: GatewayKills): Promise<KilledGateway> {
  const folder = makeFolder()
  const home = join(folder, 'home')
  const random = makeRandom(seed)
  const reached: string[] = []
  const answered: string[] = []
  const server = createServer(async (incoming, response) => {
    const { id } = JSON.parse(await bodyOf(incoming))
    reached.push(id)
    // Some take their time, so that kills meet calls that are under way; one half is answered by events.
    setTimeout(() => {
      const asEvents = id.endsWith('e')
      response.writeHead(200, { 'content-type': asEvents ? 'text/event-stream' : 'application/json' })
      response.end(asEvents ? event(result(id)) : JSON.stringify(result(id)))
    }, Math.random() * 20)
  })
  server.keepAliveTimeout = 60_000
  const url = `http://127.0.0.1:${await listenUntilEnd(server)}/mcp`
  const config = writeConfig(folder, oneUpstream(url))
  for (let round = 0; round < kills; round++) {
    const running = await startCli(['gateway', '--config', config, '--home', home, '--collector', 'none'])
    const load = startLoad(`${running.base}/mcp/one`, `r${round}`, answered)
    await new Promise((resolve) => setTimeout(resolve, 100 + random() * 900))
    running.process.kill('SIGKILL')
    await running.exit
    await load.stop()
  }
  return { reached, answered, ...(await readOutcomes(home)) }
}

function startLoad(url: string, prefix: string, answered: string[]): { stop(): Promise<void> } {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  let isOver = false
  let next = 0
  const one = async (): Promise<void> => {
    while (!isOver) {
      const number = next++
      const id = `${prefix}-${number}${number % 2 === 0 ? 'j' : 'e'}`
      const text = await post(url, agent, call(id))
      if (text === undefined) return
      if (text.includes(`"id":"${id}"`) && text.includes('"result"')) answered.push(id)
    }
  }
  const all = Promise.all(Array.from({ length: concurrency }, one))
  return {
    async stop() {
      isOver = true
      agent.destroy()
      await all
    },
  }
}

/** Undefined where the connection broke before the answer was whole. */
function post(url: string, agent: Agent, body: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    const outgoing = request(url, { method: 'POST', agent, headers }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', () => resolve(undefined))
      incoming.on('close', () => resolve(incoming.complete ? Buffer.concat(chunks).toString() : undefined))
    })
    outgoing.on('error', () => resolve(undefined))
    outgoing.end(body)
  })
}

async function readOutcomes(home: string): Promise<Pick<KilledGateway, 'outcomesOf' | 'outcomes' | 'verified'>> {
  const calls = await collectCalls(home)
  const digest = createDigester((await (await openHome(home)).correlationKey()).key)
  const byDigest = new Map<string, (string | undefined)[]>()
  for (const { fields } of calls) {
    const key = fields.correlation.value.requestIdDigest
    byDigest.set(key, [...(byDigest.get(key) ?? []), fields.status.value?.outcome])
  }
  return {
    verified: await runCli(['verify', '--home', home]),
    outcomes: [...byDigest.values()].flat(),
    outcomesOf: (id) => byDigest.get(digest(JSON.stringify(id))) ?? [],
  }
}
