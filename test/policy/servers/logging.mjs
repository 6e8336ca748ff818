// Writes every message it gets into the file that its argument names, before it answers.
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [log] = process.argv.slice(2)
createInterface({ input: process.stdin }).on('line', (line) => {
  appendFileSync(log, `${line}\n`)
  for (const { id, method } of [JSON.parse(line)].flat()) {
    const result =
      method === 'initialize'
        ? { protocolVersion: '2025-03-26', capabilities: {}, serverInfo: { name: 'log', version: '1' } }
        : { content: [], tools: [] }
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)
  }
})
