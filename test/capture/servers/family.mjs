// Has a child and a grandchild that hold its pipes and outlive it unless somebody ends them; prints all pids on stderr.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const [, , manner, role = 'server'] = process.argv
process.stderr.write(`pid ${process.pid}\n`)
if (manner === 'ignore') for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => undefined)
setInterval(() => undefined, 1000)
const next = { server: 'child', child: 'grandchild' }[role]
if (next)
  spawn(process.execPath, [process.argv[1], manner ?? 'obey', next], { stdio: ['ignore', 'inherit', 'inherit'] })
if (role === 'server') createInterface({ input: process.stdin }).on('line', () => process.exit(0))
