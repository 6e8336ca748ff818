// Answers late: when its stdin has closed. Before that it makes the client's broken pipe known by writing to it.
import { createInterface } from 'node:readline'

const ids = []
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const ticking = setInterval(
  () => send({ method: 'notifications/progress', params: { progress: 1, progressToken: 1 } }),
  50,
)
createInterface({ input: process.stdin })
  .on('line', (line) => ids.push(JSON.parse(line).id))
  .on('close', () => {
    clearInterval(ticking)
    for (const id of ids) send({ id, result: {} })
  })
