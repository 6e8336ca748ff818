// Answers each request with a result line of the given number of megabytes, written with back-pressure.

import { once } from 'node:events'
import { createInterface } from 'node:readline'

const megabytes = Number(process.argv[2])
const lines = createInterface({ input: process.stdin })
for await (const line of lines) {
  const { id } = JSON.parse(line)
  process.stdout.write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[{"type":"text","text":"`)
  const megabyte = Buffer.alloc(1024 * 1024, 'y')
  for (let i = 0; i < megabytes; i++) if (!process.stdout.write(megabyte)) await once(process.stdout, 'drain')
  process.stdout.write('"}]}}\n')
}
