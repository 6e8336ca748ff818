import { parseEnvironment } from '@affidavit/evidence/record/environment-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import { expect, it } from 'vitest'
import { readLocalFacts } from '../identity/local.ts'
import { Capture } from './capture.ts'
import { readClock } from './clock.ts'
import type { CapturedLine } from './line.ts'
import type { RequestOrigin, ResponseOrigin } from './origin.ts'
import { LineScan } from './scan.ts'

const toServer = {
  peer: 'server', protocol: 'tcp', localAddress: '10.0.0.2', localPort: 40_100, remoteAddress: '10.0.0.3', remotePort: 443,
} as const // biome-ignore format: one connection
const facts = readLocalFacts(undefined)
const origin: RequestOrigin = {
  principals: { workload: facts.workload, user: facts.user, role: { absent: 'x' }, token: { absent: 'x' }, delegation: [] },
  network: [],
  session: { absent: 'the request names no session' },
} // biome-ignore format: one origin

function line(text: string, answer?: ResponseOrigin): CapturedLine {
  const bytes = Buffer.from(text)
  const scan = new LineScan()
  scan.push(bytes)
  const direction = answer === undefined ? 'client-to-server' : 'server-to-client'
  const rest = { scanned: scan.end(), arrived: readClock(), ending: 'terminated' as const, bytes, origin }
  return { direction, ...rest, ...(answer === undefined ? {} : { answer }) }
}

function open() {
  const written: Sections[] = []
  const capture = new Capture({
    emit: async (draft, sections) => {
      if ('stage' in draft && draft.stage === 'completed') written.push(sections)
      return { recorded: true, hash: new Uint8Array(32) }
    },
    redactor: { redactJson: (text) => ({ text, removed: [] }), redactText: (text) => ({ text, removed: [] }) },
    digest: () => `00000000:${Buffer.alloc(32).toString('base64')}`,
    level: 'arguments',
    serverName: 'unit',
    facts,
    vantage: 'gateway',
    diagnose: () => undefined,
  })
  return { capture, written }
}

const networkOf = ({ environment }: Sections) => environment && parseEnvironment(environment).network

it('the connection that a pool chose for a call is in the record of its answer [VA-1]', async () => {
  const { capture, written } = open()
  await capture.take(line('{"jsonrpc":"2.0","id":1,"method":"ping"}'))
  await capture.take(line('{"jsonrpc":"2.0","id":1,"result":{}}', { httpStatus: 200, network: [toServer] }))
  const unanswered = line('{"jsonrpc":"2.0","id":2,"method":"ping"}')
  await capture.take(unanswered)
  await capture.endUnanswered(unanswered, { outcome: 'transport_error', httpStatus: 502, network: [toServer] })
  await capture.take(line('{"jsonrpc":"2.0","id":3,"method":"ping"}'))
  await capture.take(line('{"jsonrpc":"2.0","id":3,"result":{}}', { httpStatus: 200 }))
  expect(written.map(networkOf)).toEqual([[toServer], [toServer], undefined])
})
