import { clipText } from '@affidavit/evidence/record/text'

const depthMax = 8
const membersMax = 64
const nodesMax = 1000
const keyBytesMax = 64

/** What is left of a value at level `metadata`: keys, types and sizes. `more` counts what the limits left out. */
export function shapeOf(value: unknown): unknown {
  return outline(value, 0, { nodesLeft: nodesMax })
}

function outline(value: unknown, depth: number, budget: { nodesLeft: number }): unknown {
  budget.nodesLeft--
  if (typeof value === 'string') return `string(${Buffer.byteLength(value)})`
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  const isList = Array.isArray(value)
  const members: [string, unknown][] = Object.entries(value)
  if (depth >= depthMax || budget.nodesLeft <= 0) return `${isList ? 'array' : 'object'}(${members.length})`
  const shown = members
    .slice(0, Math.min(membersMax, budget.nodesLeft))
    .map(([key, item]): [string, unknown] => [clipText(key, keyBytesMax), outline(item, depth + 1, budget)])
  const more = members.length > shown.length ? { more: members.length - shown.length } : {}
  if (isList) return { array: members.length, items: shown.map(([, item]) => item) }
  return { object: Object.fromEntries(shown), ...more }
}
