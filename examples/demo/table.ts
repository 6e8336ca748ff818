/** The calls of `query --json` in two lines each, so that all twelve fields fit where terminals are narrow. */

interface Line {
  id: string
  fields: {
    timestamp: { value?: { time: string } }
    session: { value?: { id?: string } }
    identity: { value?: { agent?: Actor; user?: Actor } }
    server: { value?: { name: string; version?: string } }
    tool: { value?: { name?: string } }
    input: { value?: { json?: string } }
    status: { value?: { outcome: string } }
    responseBytes: { value?: number }
    latency: { value?: { ms: number } }
    classification: { value?: { level: string } }
    policy: { value?: { disposition: string } }
  }
}

interface Actor {
  name?: string
  assurance?: string
}

const parseLine = (text: string) => JSON.parse(text) as Line
const cut = (text: string, width: number) => (text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width))
const actor = ({ name, assurance }: Actor = {}) => (name === undefined ? 'unknown' : `${name} (${assurance})`)

const titles = [
  `${cut('1 TIME', 13)} ${cut('2 SESSION', 10)} ${cut('3 WHO, ON WHOSE BEHALF', 48)} 4 SERVER`,
  `  ${cut('5 TOOL', 21)} ${cut('6 INPUT, REDACTED', 50)} 7 STATUS`,
  `  ${cut('8 BYTES', 10)} ${cut('9 LATENCY', 11)} ${cut('10 CLASSIFICATION', 18)} ${cut('11 POLICY', 11)} 12 CORRELATION (call id)`,
]

function toLines({ id, fields }: Line): string[] {
  const { agent, user } = fields.identity.value ?? {}
  const { name = '', version = '' } = fields.server.value ?? {}
  const session = fields.session.value?.id?.slice(-8) ?? 'absent'
  const input = fields.input.value?.json ?? ''
  const tool = fields.tool.value?.name ?? 'unlisted tool'
  return [
    `${cut(fields.timestamp.value?.time.slice(11, 23) ?? '', 13)} ${cut(session, 10)} ${cut(`${actor(agent)} for ${actor(user)}`, 48)} ${name} ${version}`,
    `  ${cut(tool, 21)} ${cut(input.replace(/^\{"name":"[^"]*","arguments":|\}$/g, ''), 50)} ${fields.status.value?.outcome ?? 'open'}`,
    `  ${cut(`${fields.responseBytes.value ?? '–'} B`, 10)} ${cut(`${fields.latency.value?.ms.toFixed(1) ?? '–'} ms`, 11)} ${cut(fields.classification.value?.level ?? '–', 18)} ${cut(fields.policy.value?.disposition ?? '–', 11)} ${id}`,
  ]
}

export function formatCalls(jsonLines: string): string {
  const calls = jsonLines.trim().split('\n').map(parseLine)
  return [titles, ...calls.map(toLines)].map((lines) => lines.join('\n')).join('\n\n')
}
