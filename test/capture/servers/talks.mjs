// Writes to its stdout all the time until that breaks, reads on after that, and says on stderr what it sees.
import { createInterface } from 'node:readline'

const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 1, progressToken: 1 } }
const ticking = setInterval(() => process.stdout.write(`${JSON.stringify(progress)}\n`), 50)
process.stdout.on('error', (error) => {
  clearInterval(ticking)
  process.stderr.write(`stdout ${error.code}\n`)
})
createInterface({ input: process.stdin })
  .on('line', (line) => process.stderr.write(`got ${JSON.parse(line).id}\n`))
  .on('close', () => process.exit(7))
