import type { Absent } from '@affidavit/evidence/record/absent'
import { type Posture, type Signal, signalsMax } from '@affidavit/evidence/record/posture'
import { clipText } from '@affidavit/evidence/record/text'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import { isJsonObject } from './claims.ts'
import { askPosture, type PostureAnswer, PostureError, type PostureSource, sourceKind } from './posture-source.ts'

/** The state of the machine as a source said it last, redacted; what a policy may look at. */
export interface PostureReading {
  /** Redacted, otherwise as the source gave it. */
  values: Readonly<Record<string, unknown>>
  state: 'fresh' | 'stale'
  takenMs: number
  ageMs: number
  /** For the record. */
  section: Posture
}

export interface PostureFeed {
  /** In memory already: costs nothing, and never waits for the source. */
  current(nowMs: number): PostureReading | Absent
  /** Asks no more. */
  close(): void
}

export interface PostureOptions {
  source: PostureSource
  everyMs: number
  maxAgeMs: number
  redactJson: (text: Uint8Array) => Uint8Array
  /** Told when the source begins to fail, and when it answers again. */
  diagnose: (code: string, sentence: string) => void
}

interface Held {
  values: Readonly<Record<string, unknown>>
  signals: Signal[]
  omitted: number
  takenMs: number
}

/**
 * Asks the source now and then, beside everything else. A source that fails leaves what it said last, which grows old and is
 * shown to be: it never holds up a call and never lends an old value new life.
 */
export function openPosture(options: PostureOptions): PostureFeed {
  const { source, everyMs, maxAgeMs } = options
  const ending = new AbortController()
  let held: Held | undefined
  let failure: string | undefined
  let timer: NodeJS.Timeout | undefined

  const ask = async (): Promise<void> => {
    const before = failure
    try {
      held = hold(await askPosture(source, ending.signal), options.redactJson)
      failure = undefined
    } catch (error) {
      if (!(error instanceof PostureError)) throw error
      failure = error.code
    }
    if (ending.signal.aborted) return
    if (failure !== before) report(options, failure)
    timer = setTimeout(() => void ask(), everyMs).unref()
  }
  void ask()
  return {
    current(nowMs) {
      if (held === undefined)
        return failure === undefined ? notYet : { absent: `the source gives nothing (${failure})` }
      return read(held, { kind: sourceKind(source), nowMs, maxAgeMs, failure })
    },
    close() {
      ending.abort()
      clearTimeout(timer)
    },
  }
}

const notYet: Absent = { absent: 'the source has not answered yet' }

function report({ source, diagnose }: PostureOptions, failure: string | undefined): void {
  const kind = sourceKind(source)
  if (failure === undefined) diagnose('AFD_POSTURE_BACK', `the ${kind} that tells the posture answers again`)
  else
    diagnose(
      'AFD_POSTURE_UNAVAILABLE',
      `the ${kind} that tells the posture gives nothing (${failure}); what it said last grows old`,
    )
}

function read(
  { values, signals, omitted, takenMs }: Held,
  by: { kind: string; nowMs: number; maxAgeMs: number; failure: string | undefined },
): PostureReading {
  // A clock that was set back makes nothing younger than new.
  const ageMs = Math.max(0, Math.round(by.nowMs - takenMs))
  const state = ageMs > by.maxAgeMs ? 'stale' : 'fresh'
  const section: Posture = {
    source: by.kind,
    state,
    takenAt: formatTimestamp(takenMs),
    ageMs,
    signals,
    omitted,
    ...(by.failure === undefined ? {} : { failure: by.failure }),
  }
  return { values, state, takenMs, ageMs, section }
}

/** Redacted as a whole, so that a value under a telling name goes too; only then is anything cut. */
function hold({ json, takenMs }: PostureAnswer, redactJson: PostureOptions['redactJson']): Held {
  const values = parseValues(redactJson(Buffer.from(json)))
  const all = [...flatten(values, '', 0)]
  return { values, signals: all.slice(0, signalsMax), omitted: Math.max(0, all.length - signalsMax), takenMs }
}

function parseValues(json: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(json))
    if (isJsonObject(value)) return value
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new PostureError('not_an_object')
}

const depthMax = 4

function* flatten(value: object, prefix: string, depth: number): Generator<Signal> {
  for (const [key, member] of Object.entries(value)) {
    const name = `${prefix}${key}`
    if (isJsonObject(member) && depth < depthMax) yield* flatten(member, `${name}.`, depth + 1)
    else {
      const text = typeof member === 'string' ? member : (JSON.stringify(member) ?? '')
      yield { name: clipText(name === '' ? '(unnamed)' : name), value: clipText(text) }
    }
  }
}
