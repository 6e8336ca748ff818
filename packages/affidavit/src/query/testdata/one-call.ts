import type { Link } from '../links.ts'
import { couldBeOne, isOutrankedBy, type SeenCall, slotOf, slotsByRank } from '../same-call.ts'

/** The rule for joining, read off docs/RECORD.md and applied to every pair there is. */

export interface LinkedCall {
  call: SeenCall
  links: Link[]
  /** Of the request and, for links of the machine, of the machine. */
  request: string
  machine: string
}

const opposite = { either: 'either', clientSide: 'serverSide', serverSide: 'clientSide', hint: 'hint' } as const

/** By leaf, the partner that each call has. */
export function joinNaively(calls: readonly LinkedCall[]): Map<number, number> {
  const joined = new Map<number, number>()
  for (const one of calls) {
    const [partner] = slotsByRank.flatMap((slot) => one.links.flatMap((link) => certain(calls, one, link, slot)))
    if (partner !== undefined) joined.set(one.call.leaf, partner.call.leaf)
  }
  return joined
}

function certain(calls: readonly LinkedCall[], one: LinkedCall, link: Link, slot: number): LinkedCall[] {
  const [here, there] = [slotOf(one.call), slot]
  const isBetter =
    here === there ? link.role === 'clientSide' : isOutrankedBy(here, there) && link.role !== 'serverSide'
  if (link.role === 'hint' || !isBetter) return []
  const [partner, second] = candidates(calls, one, link, slot)
  if (partner === undefined || second !== undefined) return []
  const back = candidates(calls, partner, { ...link, role: opposite[link.role] }, here)
  return back.length === 1 ? [partner] : []
}

function candidates(calls: readonly LinkedCall[], one: LinkedCall, link: Link, slot: number): LinkedCall[] {
  const wanted = opposite[link.role]
  return calls.filter((other) => {
    if (other === one || slotOf(other.call) !== slot || other.request !== one.request) return false
    const shared = other.links.some(
      ({ role, name, scope }) =>
        role === wanted && name === link.name && (scope === 'tenant' || other.machine === one.machine),
    )
    if (!shared) return false
    const isServerSide = wanted === 'either' ? slotOf(other.call) % 3 > slotOf(one.call) % 3 : wanted === 'serverSide'
    return isServerSide ? couldBeOne(one.call, other.call) : couldBeOne(other.call, one.call)
  })
}
