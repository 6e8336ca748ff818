import { attestParents } from '../../../packages/sensor/src/identity/attest-parents.ts'

/** Says who started it, as the first argument names the parent's pid or `own`; once hashed, where `hash` follows. */
const [parent = 'own', hash] = process.argv.slice(2)
const parents = attestParents(parent === 'own' ? process.ppid : Number(parent))
// Hashing keeps no process alive; this one waits for it.
const alive = setInterval(() => undefined, 60_000)
if (hash === 'hash') await parents.hash({ load: () => new Map(), save: async () => undefined })
process.stdout.write(`${JSON.stringify({ pid: process.pid, ...parents.current })}\n`)
clearInterval(alive)
