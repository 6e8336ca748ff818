import type { CaptureContext } from '../capture/context.ts'
import type { Recorder } from '../spool/fail-mode.ts'
import { createMetrics, type GatewayMetrics, resultOf } from './gateway-metrics.ts'

/** Whether requests can be recorded: told by the records themselves, and by heartbeats where there are none. */
export interface Health {
  /** The recorder's, counted. */
  emit: CaptureContext['emit']
  metrics: GatewayMetrics
  /** Undefined: they can. Else the code of why not. */
  whyNotReady(): Promise<string | undefined>
  /** Writes a heartbeat, where that is possible. */
  beat(): Promise<void>
  startDraining(): void
}

/** A record that became durable this lately is proof enough. */
const freshMs = 5000

export function createHealth(recorder: Recorder): Health {
  const metrics = createMetrics()
  let durableAtMs = Number.NEGATIVE_INFINITY
  let isDraining = false
  const probe = async (): Promise<string | undefined> => {
    try {
      await recorder.probe()
      durableAtMs = performance.now()
      metrics.countRecord('heartbeat', 'recorded')
      return undefined
    } catch (error) {
      durableAtMs = Number.NEGATIVE_INFINITY
      metrics.countRecord('heartbeat', 'refused')
      return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    }
  }
  return {
    metrics,
    async emit(draft, sections) {
      const startMs = performance.now()
      try {
        const receipt = await recorder.emit(draft, sections)
        const nowMs = performance.now()
        metrics.countRecord(draft.kind, resultOf(receipt))
        if ('stage' in draft && draft.stage === 'completed') metrics.countOutcome(draft.kind, draft.outcome)
        metrics.observeEmit((nowMs - startMs) / 1000)
        durableAtMs = receipt.recorded ? nowMs : Number.NEGATIVE_INFINITY
        return receipt
      } catch (error) {
        durableAtMs = Number.NEGATIVE_INFINITY
        metrics.countRecord(draft.kind, 'refused')
        throw error
      }
    },
    async whyNotReady() {
      if (isDraining) return 'draining'
      return performance.now() - durableAtMs < freshMs ? undefined : probe()
    },
    async beat() {
      await probe()
    },
    startDraining() {
      isDraining = true
    },
  }
}
