import { setTimeout as pause } from 'node:timers/promises'
import type { CaptureContext } from '../capture/context.ts'
import type { RequestOrigin } from '../capture/origin.ts'
import type { AmbientToken } from '../identity/ambient-token.ts'
import { attestParents } from '../identity/attest-parents.ts'
import type { HashMemory } from '../identity/hash-executable.ts'
import { readLocalFacts } from '../identity/local.ts'
import type { Principals } from '../identity/principals.ts'
import type { OwnIdentity } from '../identity/spiffe/own-identity.ts'
import { type StdioNames, toStdioPrincipals } from '../identity/stdio-principals.ts'
import { createSurroundings, type Surroundings } from '../identity/surroundings.ts'

/** Who is behind a stdio connection and where it is: known at once as far as the kernel tells, and better a little later. */
export interface StdioSituation {
  surroundings: Surroundings
  origin: RequestOrigin
  currentPosture: CaptureContext['currentPosture']
  follow(witnesses: Witnesses): void
  /** Takes from the memory what it knows of executables: one small file, ahead of the first record. */
  recall(memory: HashMemory): void
  /** Hashes the other executables, beside everything else. Calls never wait for that. */
  hash(memory: HashMemory): Promise<void>
}

/** Who else says who it is. */
export interface Witnesses {
  token?: AmbientToken | undefined
  own?: Pick<OwnIdentity, 'current'> | undefined
}

/** By then client and server have met. Before, hashing would take from them what they need to begin. */
const afterStartMs = 400

/** `parentPid`: of who started us, as it was when we were started. */
export function readStdioSituation(serverPid: number | undefined, parentPid: number): StdioSituation {
  const local = readLocalFacts(serverPid)
  const surroundings = createSurroundings(local)
  const parents = attestParents(parentPid)
  let witnesses: Witnesses = {}
  let made: (StdioNames & { principals: Principals }) | undefined
  return {
    surroundings,
    currentPosture: undefined,
    origin: {
      network: { absent: 'stdio has no network' },
      session: 'stdio',
      // The same object while nothing changes: what is encoded of it is kept with it.
      get principals() {
        const nowMs = Date.now()
        const parentage = parents.current
        const token = witnesses.token?.current(nowMs)
        const own = witnesses.own?.current(nowMs)
        if (made?.parentage !== parentage || made.token !== token || made.own !== own)
          made = { parentage, token, own, principals: toStdioPrincipals(local, { parentage, token, own }) }
        return made.principals
      },
    },
    follow(followed) {
      witnesses = followed
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
