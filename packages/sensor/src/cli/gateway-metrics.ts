import type { EmitReceipt } from '../capture/context.ts'
import type { Upstream } from '../capture/http/upstream.ts'

/** Counts for Prometheus, in its text format 0.0.4. Names of upstreams are the only labels that somebody chose. */
export interface GatewayMetrics {
  countRecord(kind: string, result: 'recorded' | 'unrecorded' | 'refused'): void
  countOutcome(kind: string, outcome: string): void
  observeEmit(seconds: number): void
  write(state: MetricsState): string
}

export interface MetricsState {
  upstreams: readonly Upstream[]
  underWay: number
  isReady: boolean
}

/** Seconds: a fast disk takes 0.0002, a slow one 0.015. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

export function resultOf({ recorded }: EmitReceipt): 'recorded' | 'unrecorded' {
  return recorded ? 'recorded' : 'unrecorded'
}

export function createMetrics(): GatewayMetrics {
  const records = new Map<string, number>()
  const outcomes = new Map<string, number>()
  const counts = buckets.map(() => 0)
  let count = 0
  let sum = 0
  return {
    countRecord(kind, result) {
      const key = `kind="${kind}",result="${result}"`
      records.set(key, (records.get(key) ?? 0) + 1)
    },
    countOutcome(kind, outcome) {
      const key = `kind="${kind}",outcome="${outcome}"`
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1)
    },
    observeEmit(seconds) {
      count++
      sum += seconds
      for (let i = 0; i < buckets.length; i++) if (seconds <= (buckets[i] ?? 0)) counts[i] = (counts[i] ?? 0) + 1
    },
    write({ upstreams, underWay, isReady }) {
      const bars = buckets.map((bound, i) => `affidavit_durable_seconds_bucket{le="${bound}"} ${counts[i]}`)
      const lines = [
        ...family('affidavit_records_total', 'counter', 'Records by kind, and whether they were made durable.'),
        ...[...records].map(([labels, n]) => `affidavit_records_total{${labels}} ${n}`),
        ...family('affidavit_outcomes_total', 'counter', 'Exchanges that ended, by kind and outcome.'),
        ...[...outcomes].map(([labels, n]) => `affidavit_outcomes_total{${labels}} ${n}`),
        ...family('affidavit_durable_seconds', 'histogram', 'From the drafting of a record until it is durable.'),
        ...bars,
        `affidavit_durable_seconds_bucket{le="+Inf"} ${count}`,
        `affidavit_durable_seconds_sum ${sum}`,
        `affidavit_durable_seconds_count ${count}`,
        ...family('affidavit_http_exchanges_under_way', 'gauge', 'HTTP exchanges that are not answered to their end.'),
        `affidavit_http_exchanges_under_way ${underWay}`,
        ...family('affidavit_conversations', 'gauge', 'Sessions, and exchanges without one, that are kept track of.'),
        ...upstreams.map(
          ({ options, conversations }) => `affidavit_conversations{upstream="${options.name}"} ${conversations.size}`,
        ),
        ...family('affidavit_ready', 'gauge', '1 where requests can be recorded.'),
        `affidavit_ready ${isReady ? 1 : 0}`,
        ...family('process_resident_memory_bytes', 'gauge', 'Resident memory.'),
        `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
      ]
      return `${lines.join('\n')}\n`
    },
  }
}

function family(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
}
