import type { AuthDetail } from '@affidavit/evidence/record/header'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import type { AuthEvent } from '../admission.ts'
import { absentPrincipals } from '../bearer.ts'
import { createBoundedMap } from '../bounded-map.ts'
import { createRefusalRation } from '../refusal-ration.ts'
import { isSpiffeCode, type SpiffeCode } from './spiffe-refusal.ts'
import type { JudgedSvid } from './svid-judge.ts'

/** What is told of SVIDs: each good one once, refusals one by one until there are many, and then as counts. */
export interface SvidEvents {
  of(judged: JudgedSvid, nowMs: number): AuthEvent[]
  drainRefusals(): AuthEvent[]
  /** They could not be recorded. */
  giveBack(events: readonly AuthEvent[]): void
}

const rememberedMax = 8192
const noToken = 'the certificate is judged apart from any token'
const counted = absentPrincipals('refusals of a flood are counted, not described')

/** `mode`: as in AuthDetail; with `observe` a judgement stops nothing. */
export function createSvidEvents(mode?: 'observe'): SvidEvents {
  const told = createBoundedMap<true>(rememberedMax)
  const ration = createRefusalRation<SpiffeCode>()
  const inMode = mode === undefined ? {} : { mode }
  return {
    of(judged, nowMs) {
      const { code, fingerprint } = judged
      if (code !== undefined) return ration.take(code, nowMs) ? [toEvent(judged, inMode)] : []
      if (fingerprint === undefined || told.get(fingerprint) !== undefined) return []
      told.set(fingerprint, true)
      return [toEvent(judged, inMode)]
    },
    drainRefusals: () =>
      ration.drain().map(({ code, count }) => ({
        detail: { event: 'refused', ...inMode, code, count },
        principals: counted,
      })),
    giveBack(events) {
      for (const { detail } of events) {
        const { code, count = 1, fingerprint } = detail
        if (isSpiffeCode(code)) ration.add(code, count)
        else if (fingerprint !== undefined) told.delete(fingerprint)
      }
    },
  }
}

function toEvent(
  { workload, token, code, fingerprint, untilMs }: JudgedSvid,
  inMode: Pick<AuthDetail, 'mode'>,
): AuthEvent {
  return {
    detail: { ...verdictOf(code, untilMs), ...inMode, ...(fingerprint === undefined ? {} : { fingerprint }) },
    principals: { ...absentPrincipals(noToken), workload, ...(token === undefined ? {} : { token }) },
  }
}

function verdictOf(code: SpiffeCode | undefined, untilMs: number): Pick<AuthDetail, 'event' | 'code' | 'expires'> {
  return code === undefined ? { event: 'admitted', expires: formatTimestamp(untilMs) } : { event: 'refused', code }
}
