// Answers everything; on signals it reports and exits with 30 (report) or stays (ignore).
import { createInterface } from 'node:readline'

const [, , manner] = process.argv
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'])
  process.on(signal, () => {
    process.stderr.write(`got ${signal}\n`)
    if (manner === 'report') process.exit(30)
  })
setInterval(() => undefined, 1000)
for await (const line of createInterface({ input: process.stdin })) {
  const { id } = JSON.parse(line)
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: {} })}\n`)
}
