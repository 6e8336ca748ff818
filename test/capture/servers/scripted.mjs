// Answers the request whose raw id is a key of the script with the given lines, byte for byte.
import { createInterface } from 'node:readline'

const script = JSON.parse(process.argv[2])
for await (const line of createInterface({ input: process.stdin })) {
  const id = /"id":("(?:[^"\\]|\\.)*"|[^,}]+)/.exec(line)?.[1]
  for (const answer of script[id] ?? []) process.stdout.write(`${answer}\n`)
}
