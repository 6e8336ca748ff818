/** What happened in a session so far: calls that were asked about, and those of them that were denied. */
export interface SessionCounts {
  calls: number
  denials: number
}

const sessionsMax = 10_000

/** Counts per session, whatever its connections. The sessions that were used longest ago are forgotten first. */
export class SessionCounters {
  readonly #counts = new Map<string, SessionCounts>()

  /** Counts before this call. */
  of(session: string): SessionCounts {
    return this.#counts.get(session) ?? { calls: 0, denials: 0 }
  }

  note(session: string, disposition: 'granted' | 'denied' | 'undecided'): void {
    const { calls, denials } = this.of(session)
    this.#counts.delete(session)
    this.#counts.set(session, { calls: calls + 1, denials: denials + (disposition === 'denied' ? 1 : 0) })
    const [oldest] = this.#counts.keys()
    if (this.#counts.size > sessionsMax && oldest !== undefined) this.#counts.delete(oldest)
  }
}
