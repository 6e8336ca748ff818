import { setTimeout as pause } from 'node:timers/promises'
import type { CaptureContext } from '../capture/context.ts'
import type { RequestOrigin } from '../capture/origin.ts'
import type { AmbientToken } from '../identity/ambient-token.ts'
import { attestParents, type Parentage } from '../identity/attest-parents.ts'
import type { HashMemory } from '../identity/hash-executable.ts'
import { readLocalFacts } from '../identity/local.ts'
import type { Principals } from '../identity/principals.ts'
import { toStdioPrincipals } from '../identity/stdio-principals.ts'
import { createSurroundings, type Surroundings } from '../identity/surroundings.ts'

/** Who is behind a stdio connection and where it is: known at once as far as the kernel tells, and better a little later. */
export interface StdioSituation {
  surroundings: Surroundings
  origin: RequestOrigin
  currentPosture: CaptureContext['currentPosture']
  follow(token: AmbientToken | undefined): void
  /** Takes from the memory what it knows of executables: one small file, ahead of the first record. */
  recall(memory: HashMemory): void
  /** Hashes the other executables, beside everything else. Calls never wait for that. */
  hash(memory: HashMemory): Promise<void>
}

/** By then client and server have met. Before, hashing would take from them what they need to begin. */
const afterStartMs = 400

/** `parentPid`: of who started us, as it was when we were started. */
export function readStdioSituation(serverPid: number | undefined, parentPid: number): StdioSituation {
  const local = readLocalFacts(serverPid)
  const surroundings = createSurroundings(local)
  const parents = attestParents(parentPid)
  let token: AmbientToken | undefined
  let made: { parentage: Parentage; named: Principals | undefined; principals: Principals } | undefined
  return {
    surroundings,
    currentPosture: undefined,
    origin: {
      network: { absent: 'stdio has no network' },
      session: 'stdio',
      // The same object while nothing changes: what is encoded of it is kept with it.
      get principals() {
        const parentage = parents.current
        const named = token?.current(Date.now())
        if (made?.parentage !== parentage || made.named !== named)
          made = { parentage, named, principals: toStdioPrincipals(local, parentage, named) }
        return made.principals
      },
    },
    follow(followed) {
      token = followed
    },
    recall(memory) {
      parents.recall(memory.load())
    },
    async hash(memory) {
      await pause(afterStartMs, undefined, { ref: false })
      await parents.hash(memory)
      if (serverPid !== undefined) await surroundings.hashServer(serverPid, memory)
    },
  }
}
