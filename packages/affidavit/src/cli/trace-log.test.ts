import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { type JoinedLines, readLog } from './trace-log.ts'

const uuid = (n: number) => `01968d1e-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
const [shared, own] = ['4bf92f3577b34da6a3ce929d0e0e4736', 'aaaa2f3577b34da6a3ce929d0e0e4736']
const sought = { calls: new Set([uuid(1), uuid(2)]), traces: new Map([[shared, undefined], [own, uuid(2)]]) } // biome-ignore format: two

async function read(text: string): Promise<JoinedLines & { file: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-log-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'server.log')
  writeFileSync(file, text)
  const joined: JoinedLines = { byCall: new Map(), ofTrace: [], omitted: 0 }
  await readLog(file, sought, joined)
  return { ...joined, file }
}

it('lines are joined by call id, by a trace that one call has alone, and else to no call [TR-7]', async () => {
  const lines = [
    `2026-11-30 23:40:49.646 UTC [7] LOG:  statement: SELECT 1 FROM t /* affidavit:${uuid(1)} */`,
    `trace=${shared} something`,
    `{"trace_id":"${own}","at":"2026-11-30T23:40:50Z"}`,
    `trace=${shared} call=${uuid(2).toUpperCase()}`,
    `call=${uuid(3)} is nobody's`,
    `x${own}f is a longer number`,
    `${'y'.repeat(3 << 20)} ${uuid(1)} beyond what is read of a line`,
    `last without newline ${uuid(1)}`,
  ]
  const { byCall, ofTrace, omitted, file } = await read(lines.join('\n'))
  expect(byCall.get(uuid(1))).toEqual([
    { file, number: 1, time: '2026-11-30 23:40:49.646 UTC', text: 'SELECT 1 FROM t', by: 'call id' },
    { file, number: 8, text: `last without newline ${uuid(1)}`, by: 'call id' },
  ])
  expect(byCall.get(uuid(2))?.map(({ number, by }) => [number, by])).toEqual([
    [3, 'trace id'],
    [4, 'call id'],
  ])
  expect(ofTrace.map(({ number }) => number)).toEqual([2])
  expect(omitted).toBe(0)
})

it('a log that repeats itself does not bury the rest [TR-7]', async () => {
  const { byCall, omitted } = await read(`${uuid(1)}\n`.repeat(50))
  expect([byCall.get(uuid(1))?.length, omitted]).toEqual([20, 30])
})

it('a file that cannot be read is said so [TR-7]', async () => {
  await expect(readLog('/nowhere/x.log', sought, { byCall: new Map(), ofTrace: [], omitted: 0 })).rejects.toMatchObject(
    {
      code: 'AFD_FILE_UNREADABLE',
    },
  )
})
