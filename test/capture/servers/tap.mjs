// Runs a server and keeps every byte that goes in and comes out of it: tap.mjs FOLDER COMMAND ARGS…
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'

const [, , folder, command, ...args] = process.argv
const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
process.stdin.pipe(createWriteStream(join(folder, 'in')))
process.stdin.pipe(child.stdin)
child.stdout.pipe(createWriteStream(join(folder, 'out')))
child.stdout.pipe(process.stdout)
child.on('exit', (code) => {
  process.exitCode = code ?? 1
})
