import type { Uuid } from '@affidavit/evidence/record/header'
import { makeId, readClock } from '../clock.ts'
import type { DraftedOutcome } from '../completed.ts'
import type { EmitReceipt } from '../context.ts'
import { guardRedactor } from '../guard-redactor.ts'
import { toFailure } from '../rpc-error.ts'
import { draftReport, type OpenReport, type ReportContext } from './draft.ts'
import { draftEnd } from './draft-outcome.ts'
import { createPace } from './pace.ts'
import { IngestProblem } from './problem.ts'
import { RecentReports } from './recent-reports.ts'
import type { Report, ReportedOutcome, ReportedRequest } from './report.ts'

/** Calls that were reported as begun and not as ended. Each sets space aside in the spool (spool/limits.ts), so they are few. */
const openMax = 4096
/** Then nobody is left to tell what became of it. */
const openMaxUs = 60 * 60 * 1_000_000
/** Reports are recorded so many at a time: one commit of the spool holds them, and a call that comes meanwhile waits for no more. */
const groupMax = 64

export interface Accepted {
  callId: Uuid
  /** Whether it had been recorded before. */
  repeated: boolean
}

interface OpenCall {
  open: OpenReport
  receipt: EmitReceipt
}

/** Records what programs report. Owns the calls that were reported as begun, hence must be finished. */
export class ReportedCalls {
  readonly #context: ReportContext
  readonly #open = new Map<Uuid, OpenCall>()
  readonly #recent = new RecentReports()
  readonly #ends = new Set<Promise<void>>()

  constructor(context: ReportContext) {
    const { namingRedactor, diagnose } = context
    const guarded = guardRedactor({ redactor: namingRedactor, diagnose })
    this.#context = {
      ...context,
      redactor: guardRedactor(context),
      namingRedactor: guarded,
      get level() {
        return context.levelNow?.() ?? context.level
      },
    }
  }

  /**
   * Resolves once every one of them is durable. Throws IngestProblem: with a code that is not worth a retry, none of them
   * was recorded; else some may have been. Reports with a key are not recorded twice when all of them come again.
   */
  async record(reports: readonly Report[]): Promise<Accepted[]> {
    const keys = new Map<string, string>()
    for (const [i, report] of reports.entries()) {
      const place = placeOf(reports, i)
      this.#refuse(report, place)
      const { text, hash } = keyOf(report) ?? { text: '', hash: '' }
      if ((keys.get(text) ?? hash) !== hash)
        throw new IngestProblem('AFD_INGEST_KEY_REUSED', place, 'the same key comes with two reports')
      if (text !== '') keys.set(text, hash)
    }
    this.#makeRoom(reports.filter(({ stage }) => stage === 'requested').length)
    const accepted: Accepted[] = []
    const pace = createPace()
    for (let i = 0; i < reports.length; i += groupMax) {
      const group: Promise<PromiseSettledResult<Accepted>[]>[] = []
      for (const report of reports.slice(i, i + groupMax)) {
        group.push(Promise.allSettled([this.#once(report)]))
        await pace()
      }
      const results = (await Promise.all(group)).flat()
      for (const [j, result] of results.entries()) {
        if (result.status === 'rejected') throw toProblem(result.reason, placeOf(reports, i + j))
        accepted.push(result.value)
      }
    }
    return accepted
  }

  /** Ends every call still open as `unknown`. Later reports may be recorded all the same. */
  async finish(): Promise<void> {
    for (const callId of [...this.#open.keys()]) this.#abandon(callId)
    await Promise.all(this.#ends)
  }

  /** What can be told without writing anything. */
  #refuse(report: Report, place: string): void {
    try {
      const isKnown = this.#findRepeated(report) !== undefined
      if (report.stage === 'completed' && !isKnown && !this.#open.has(report.callId))
        throw new IngestProblem('AFD_INGEST_UNKNOWN_CALL', 'callId', 'no such call is open here')
    } catch (error) {
      throw error instanceof IngestProblem && place !== '' ? error.within(place) : error
    }
  }

  #findRepeated(report: Report): Promise<Uuid> | undefined {
    const key = keyOf(report)
    return key === undefined ? undefined : this.#recent.find(key.text, key.hash)
  }

  #makeRoom(begun: number): void {
    const now = readClock().monotonicUs
    for (const [callId, { open }] of this.#open)
      if (now - open.exchange.arrived.monotonicUs >= openMaxUs) this.#abandon(callId)
    if (begun > 0 && this.#open.size + begun > openMax)
      throw new IngestProblem('AFD_AUDIT_UNAVAILABLE', '', `${openMax} reported calls are open (too_many_open)`)
  }

  async #once(report: Report): Promise<Accepted> {
    const repeated = this.#findRepeated(report)
    if (repeated !== undefined) return { callId: await repeated, repeated: true }
    const key = keyOf(report)
    const recorded = this.#record(report)
    const callId = await (key === undefined ? recorded : this.#recent.add(key.text, key.hash, recorded))
    return { callId, repeated: false }
  }

  async #record(report: Report): Promise<Uuid> {
    if (report.stage === 'completed') return this.#end(report.callId, report.outcome)
    const call = await this.#begin(report.request)
    const { callId } = call.open.exchange
    if (report.stage === 'whole') await this.#emitEnd(call, report.outcome)
    else this.#open.set(callId, call)
    return callId
  }

  async #begin(request: ReportedRequest): Promise<OpenCall> {
    const { open, draft, sections } = await draftReport(this.#context, request, makeId())
    const receipt = await this.#context.emit(draft, sections)
    const call = { open, receipt }
    if (receipt.recorded) return call
    // The gap has counted it. Its end is dropped by the recorder, which forgets the call with it.
    await this.#emitEnd(call, { outcome: 'unknown', resources: [] })
    throw notRecorded()
  }

  async #end(callId: Uuid, told: ReportedOutcome): Promise<Uuid> {
    const call = this.#open.get(callId)
    if (call === undefined) throw new IngestProblem('AFD_INGEST_UNKNOWN_CALL', 'callId', 'no such call is open here')
    const { arrived } = call.open.exchange
    const latencyUs = told.latencyUs ?? Math.max(0, readClock().monotonicUs - arrived.monotonicUs)
    this.#open.delete(callId)
    try {
      await this.#emitEnd(call, { ...told, latencyUs })
    } catch (error) {
      this.#open.set(callId, call)
      throw error
    }
    return callId
  }

  /** Outcome and place matter more than the outline: where there is no room for both, the outline goes. */
  async #emitEnd({ open, receipt }: OpenCall, told: ReportedOutcome): Promise<void> {
    const recorded = await this.#emitOr(draftEnd(open, receipt, told))
    if (receipt.recorded && !recorded) throw notRecorded()
  }

  async #emitOr({ draft, sections, least }: DraftedOutcome): Promise<boolean> {
    try {
      return (await this.#context.emit(draft, sections)).recorded
    } catch (error) {
      const { cause } = toFailure(error)
      if (cause !== 'spool_full' && cause !== 'record_too_large') throw error
      return (await this.#context.emit(draft, least())).recorded
    }
  }

  /** Ends a call of which nobody told the end; `finish` waits for it. */
  #abandon(callId: Uuid): void {
    const call = this.#open.get(callId)
    if (call === undefined) return
    this.#open.delete(callId)
    const end = this.#emitEnd(call, { outcome: 'unknown', resources: [] })
      .catch((error: unknown) => {
        const { cause } = toFailure(error)
        this.#context.diagnose('AFD_OUTCOME_LOST', `the end of a reported call could not be recorded (${cause})`)
      })
      .finally(() => this.#ends.delete(end))
    this.#ends.add(end)
  }
}

/** An end is told once, whatever the reporter says of keys. */
function keyOf(report: Report): { text: string; hash: string } | undefined {
  return report.stage === 'completed' ? { text: `end ${report.callId}`, hash: report.hash } : report.key
}

function placeOf(reports: readonly Report[], i: number): string {
  return reports.length === 1 ? '' : `exchange ${i + 1}`
}

function notRecorded(): IngestProblem {
  return new IngestProblem('AFD_AUDIT_UNAVAILABLE', '', 'nothing can be recorded now; the gap counts this report')
}

function toProblem(error: unknown, place: string): IngestProblem {
  if (error instanceof IngestProblem) return place === '' ? error : error.within(place)
  const { cause } = toFailure(error)
  if (cause === 'record_too_large') return new IngestProblem('AFD_INGEST_TOO_LARGE', place, 'the record can never fit')
  if (cause.startsWith('defect')) return new IngestProblem('AFD_DEFECT', place, `a defect of this program (${cause})`)
  return new IngestProblem('AFD_AUDIT_UNAVAILABLE', place, `the report could not be recorded (${cause})`)
}
