// Floods stderr with 8 MiB and answers meanwhile.

import { once } from 'node:events'
import { createInterface } from 'node:readline'

const flood = (async () => {
  const line = `${'e'.repeat(1023)}\n`
  for (let i = 0; i < 8 * 1024; i++) if (!process.stderr.write(line)) await once(process.stderr, 'drain')
})()
for await (const line of createInterface({ input: process.stdin })) {
  const { id } = JSON.parse(line)
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: {} })}\n`)
}
await flood
