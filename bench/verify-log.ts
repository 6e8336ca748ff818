import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseVerifierKey } from '@affidavit/evidence/log/key'
import { createProblemSink } from '@affidavit/evidence/verify/problem'
import { verifyLog } from '@affidavit/evidence/verify/verify-log'
import { sha256, verifyEd25519 } from '@affidavit/sensor/crypto/node'

/** Verifies log/ of a home alone, in one thread, as an outside auditor would; prints how long it took. */

const [home = ''] = process.argv.slice(2)
const key = parseVerifierKey(sha256, readFileSync(join(home, 'keys/log.pub'), 'utf8').trim())
const problems = createProblemSink()
const start = performance.now()
const { counts } = await verifyLog({
  readFile: (path) => readFile(join(home, 'log', path)).catch((error: NodeJS.ErrnoException) => absent(error)),
  policy: { origin: key.name, logKeys: [key], witnesses: [], witnessesRequired: 1 },
  crypto: { sha256, verifyEd25519 },
  problems,
})
const elapsedMs = performance.now() - start
if (problems.found().contradictions > 0)
  throw new Error(`the log does not verify: ${JSON.stringify(problems.found().list[0])}`)
console.log(JSON.stringify({ entries: counts.entries, elapsedMs }))

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
