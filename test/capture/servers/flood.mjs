// Sends the given number of progress notifications, then the result.

import { once } from 'node:events'
import { createInterface } from 'node:readline'

const count = Number(process.argv[2])
for await (const line of createInterface({ input: process.stdin })) {
  const { id } = JSON.parse(line)
  for (let i = 0; i < count; i++) {
    const note = `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":${i}}}\n`
    if (!process.stdout.write(note)) await once(process.stdout, 'drain')
  }
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: {} })}\n`)
}
