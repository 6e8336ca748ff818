/** What the load generators are asked, one JSON line per job, and what they answer. */

/** `legacy`: 2025-11-25 with a session. `modern`: 2026-07-28, stateless. */
export type Era = 'legacy' | 'modern'

export type Load =
  | { /** Open loop: calls start at fixed times. */ perSecond: number; count: number }
  | { /** Closed loop: that many callers, each with one call in flight. */ inFlight: number; forMs: number }

export interface CallJob {
  url: string
  era: Era
  load: Load
}

export interface CallResult {
  latenciesMs: number[]
  elapsedMs: number
}

export type ReadJob =
  | { /** One result of that many bytes, read as fast as it comes. */ url: string; form: 'json' | 'sse'; bytes: number }
  | {
      /** Opens event streams on which nothing comes, and keeps them; 0 closes them. */ url: string
      idleStreams: number
    }
  | {
      /** Many results at a time, each read no faster than that. */ url: string
      readers: number
      bytes: number
      bytesPerSecond: number
    }

export interface ReadResult {
  bytes: number
  elapsedMs: number
}
