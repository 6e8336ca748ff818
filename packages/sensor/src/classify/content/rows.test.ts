import { JsonScanner } from '@affidavit/evidence/record/json-scan'
import { expect, it } from 'vitest'
import { RowCount } from './rows.ts'

function rowsOf(result: unknown): number {
  const rows = new RowCount()
  const scanner = new JsonScanner((token) => rows.take(token))
  scanner.push(new TextEncoder().encode(JSON.stringify(result)))
  expect(scanner.end()).toBeUndefined()
  return rows.most
}

const text = (value: unknown) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] })
const row = (i: number) => ({ id: i, tags: ['a', 'b', 'c', 'd'] })

it.each<[string, unknown, number]>([
  ['nothing', { content: [] }, 0],
  ['prose, in however many blocks', { content: Array.from({ length: 9 }, () => ({ type: 'text', text: 'hello' })) }, 0],
  ['a list', { content: [], structuredContent: { rows: [row(1), row(2), row(3)] } }, 4],
  ['a longer list of rows', { structuredContent: { rows: Array.from({ length: 7 }, (_, i) => row(i)) } }, 7],
  ['a list at the top', { structuredContent: [1, 2, 3, 4, 5] }, 5],
  ['JSON in a text', text([{ id: 1 }, { id: 2 }]), 2],
  ['JSON with an object around it, in a text', text({ total: 3, hits: [1, 2, 3] }), 3],
  ['what only begins like JSON', { content: [{ type: 'text', text: '[see below]' }] }, 0],
  ['an empty list', { structuredContent: { rows: [] } }, 0],
  ['lists of what a server offers', { tools: [1, 2, 3] }, 0],
])('%s has as many rows as its longest list has elements [CD-4]', (_, result, rows) => {
  expect(rowsOf(result)).toBe(rows)
})
