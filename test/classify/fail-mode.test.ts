import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatUuidV7 } from '@affidavit/evidence/record/id'
import type { Effect } from '@affidavit/evidence/record/kinds'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { createRecorder } from '@affidavit/sensor/spool/fail-mode'
import { formatSegmentName } from '@affidavit/sensor/spool/segment-name'
import { openStream } from '@affidavit/sensor/spool/stream'
import { expect, it, onTestFinished } from 'vitest'
import { Capture } from '../../packages/sensor/src/capture/capture.ts'
import { readClock } from '../../packages/sensor/src/capture/clock.ts'
import type { CapturedLine } from '../../packages/sensor/src/capture/line.ts'
import { stdioOrigin } from '../../packages/sensor/src/capture/origin.ts'
import { scanBytes } from '../../packages/sensor/src/capture/scan.ts'
import { Classifier } from '../../packages/sensor/src/classify/classifier.ts'
import { compileCatalogue } from '../../packages/sensor/src/classify/compile.ts'
import { createDigester } from '../../packages/sensor/src/crypto/digester.ts'
import { openHome } from '../../packages/sensor/src/durable/home.ts'
import { readLocalFacts } from '../../packages/sensor/src/identity/local.ts'
import { createRedactor } from '../../packages/sensor/src/redact/redactor.ts'

const catalogue = `version: 1
entries:
  - { id: read, tool: read, effect: read }
  - { id: write, tool: write, effect: write }
  - { id: destroy, tool: destroy, effect: destructive }
  - { id: send, tool: send, effect: external-send }
  - { id: either, tool: either, effect: read }
  - { id: either-writes, tool: either, when: [{ argument: /mode, equals: write }], effect: write }
`
const listed = [
  { name: 'claims-to-read', annotations: { readOnlyHint: true } },
  { name: 'claims-to-destroy', annotations: { destructiveHint: true } },
]
const classes = {
  read: ['read'],
  write: ['write', 'destroy', 'send'],
  unknown: ['none', ...listed.map(({ name }) => name)],
}
const spoolBytesMax = 900 * 1024
const facts = readLocalFacts(undefined)
let nextId = 1

/** A capture in front of a spool that can be full. */
async function start(failOpen: readonly Effect[]) {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-effects-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const home = await openHome(folder)
  let isRecorded = true
  const recorder = createRecorder({
    failOpen: new Set(failOpen),
    open: (knownHead) => openStream({ home, layer: systemLayer, software: 'test/1', spoolBytesMax, knownHead }),
  })
  const key = new Uint8Array(32)
  const capture = new Capture({
    async emit(draft, sections) {
      const receipt = await recorder.emit(draft, sections)
      isRecorded = receipt.recorded
      return receipt
    },
    redactor: createRedactor({ correlationKey: key }),
    digest: createDigester(key),
    level: 'arguments',
    serverName: 'unit',
    vantage: 'gateway',
    facts,
    classifier: new Classifier(compileCatalogue([{ label: 'mine', text: catalogue, examples: 'tried' }])),
    diagnose: () => undefined,
  })
  const take = (message: object, direction: CapturedLine['direction']) => {
    const bytes = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }))
    const scanned = scanBytes(bytes)
    return capture.take({
      direction,
      scanned,
      arrived: readClock(),
      ending: 'terminated',
      bytes,
      origin: stdioOrigin(facts),
    })
  }
  const passes = async (name: string, args: object = {}) =>
    (await take({ id: nextId++, method: 'tools/call', params: { name, arguments: args } }, 'client-to-server'))?.pass
  const list = nextId++
  await take({ id: list, method: 'tools/list' }, 'client-to-server')
  await take({ id: list, result: { tools: listed } }, 'server-to-client')
  // Something else in the spool folder uses up its limit; what is left is the stream's own room, and what is reserved in it.
  const fill = async () => {
    const ballast = join(
      home.paths.spool,
      formatSegmentName({ streamId: formatUuidV7(1, new Uint8Array(16)), segment: 1 }),
    )
    writeFileSync(ballast, '')
    truncateSync(ballast, spoolBytesMax)
    while ((await passes('none', { pad: 'x'.repeat(3_000) })) === true && isRecorded);
  }
  return { fill, passes }
}

it.each([[[]], [['read']], [['write']], [['unknown']], [['read', 'unknown']]] as [Effect[]][])(
  'with %j open, exactly the calls of those classes pass a full spool, whatever their tools claim [CL-7]',
  async (failOpen) => {
    const { fill, passes } = await start(failOpen)
    for (const name of Object.values(classes).flat()) expect([name, await passes(name)]).toEqual([name, true])
    await fill()
    for (const [effect, names] of Object.entries(classes))
      for (const name of names)
        expect([name, await passes(name)]).toEqual([name, failOpen.some((open) => open === effect)])
  },
)

it('the arguments of a call decide its class where the catalogue says so [CL-7]', async () => {
  const { fill, passes } = await start(['read'])
  expect(await passes('either', { mode: 'write' })).toBe(true)
  await fill()
  expect(await passes('either', { mode: 'read' })).toBe(true)
  expect(await passes('either', { mode: 'write' })).toBe(false)
})
