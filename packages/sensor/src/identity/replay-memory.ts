import { createHash } from 'node:crypto'

/** Which proofs were used already. Lives in this process alone: another gateway before the same server remembers its own. */
export interface ReplayMemory {
  /** `full`: it cannot be remembered, so it must not count. */
  use(proof: UsedProof, nowMs: number): 'first' | 'again' | 'full'
}

export interface UsedProof {
  /** Thumbprint of the key that made it. */
  thumbprint: string
  /** Its `jti`, whatever the client chose. */
  id: string
  /** When it is refused for its age anyway. */
  untilMs: number
}

interface Limits {
  proofsMax: number
  /** So that whoever has one good token cannot fill the memory for everybody. */
  proofsPerKeyMax: number
}

const limitsDefault: Limits = { proofsMax: 65_536, proofsPerKeyMax: 4_096 }
const sweepEveryMs = 1_000

export function createReplayMemory({ proofsMax, proofsPerKeyMax }: Limits = limitsDefault): ReplayMemory {
  const used = new Map<string, UsedProof>()
  const perKey = new Map<string, number>()
  let sweptMs = Number.NEGATIVE_INFINITY

  const forget = (key: string, { thumbprint }: UsedProof) => {
    used.delete(key)
    const left = (perKey.get(thumbprint) ?? 1) - 1
    if (left > 0) perKey.set(thumbprint, left)
    else perKey.delete(thumbprint)
  }
  const sweep = (nowMs: number) => {
    if (nowMs >= sweptMs && nowMs - sweptMs < sweepEveryMs) return
    sweptMs = nowMs
    for (const [key, proof] of used) if (proof.untilMs < nowMs) forget(key, proof)
  }
  return {
    use(proof, nowMs) {
      sweep(nowMs)
      // Hashed, so that each takes the same room.
      const key = createHash('sha256').update(`${proof.thumbprint}\0${proof.id}`).digest('base64')
      if (used.has(key)) return 'again'
      const ofKey = perKey.get(proof.thumbprint) ?? 0
      if (used.size >= proofsMax || ofKey >= proofsPerKeyMax) return 'full'
      used.set(key, { ...proof, id: '' })
      perKey.set(proof.thumbprint, ofKey + 1)
      return 'first'
    },
  }
}
