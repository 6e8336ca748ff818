import { expect, it } from 'vitest'
import { isUnparsable, parseDocument } from './document.ts'
import type { Location } from './locations.ts'
import { planInstall } from './plan.ts'
import { hiddenValue, previewChanges } from './preview.ts'

const location: Location = {
  client: 'cursor',
  scope: 'user',
  path: '/users/u/.cursor/mcp.json',
  servers: [['mcpServers']],
}

const config = `{
  "apiKey": "sk-above",
  "mcpServers": {
    "db": { "command": "npx", "args": ["--password", "sk-arg", 7],
      // before: "sk-comment"
      "env": { "TOKEN": "sk-env", "N": 12345, "deep": { "a": ["sk-deep"] } },
      "headers": { "A": "sk-header" }, "cwd": "/w", "disabled": false, "note": "sk-note"
    },
    "other": { "url": "https://sk-user@x.example/mcp?k=sk-query" }
  },
  "below": "sk-below"
}
`

it('shows the changed entries alone, and in them no value that may be a secret [IN-8]', () => {
  const document = parseDocument(Buffer.from(config))
  if (isUnparsable(document)) throw new Error(document.reason)
  const plan = planInstall(location, document, {
    surroundings: { gatewayOrigin: 'http://127.0.0.1:7332', wantsOAuth: new Map() },
    selects: () => true,
    wrapWords: () => ({ program: '/usr/bin/node', before: ['/a/affidavit', 'run', '--server', 'db', '--'], shim: [] }),
    claimUpstream: () => undefined,
  })
  const hide = (text: string) => text.replaceAll(/sk-\w+/g, hiddenValue)
  const hunks = previewChanges(plan, { words: (words) => words.map(hide), url: hide, text: hide })
  expect(hunks.map(({ server, oldStart, newStart }) => [server, oldStart, newStart])).toEqual([['db', 4, 4]])
  expect(hunks[0]?.lines.map(({ sign, text }) => sign + text)).toEqual([
    '-    "db": { "command": "npx", "args": ["--password", "***", "***"],',
    '+    "db": { "command": "/usr/bin/node", "args": ["/a/affidavit", "run", "--server", "db", "--", "npx", "--password", "***", "***"],',
    '       // ***',
    '       "env": { "TOKEN": "***", "N": "***", "deep": { "a": ["***"] } },',
  ])
})
