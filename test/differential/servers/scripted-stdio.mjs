// Keeps every byte it is told in the file FIRST names, and answers the nth line with the nth line of the file SECOND names.
import { appendFileSync, readFileSync } from 'node:fs'

const [heard, answers] = process.argv.slice(2)
const lines = readFileSync(answers)
let at = 0

process.stdin.on('data', (chunk) => {
  appendFileSync(heard, chunk)
  for (const byte of chunk) {
    if (byte !== 10) continue
    const end = lines.indexOf(10, at) + 1
    process.stdout.write(lines.subarray(at, end))
    at = end
  }
})
