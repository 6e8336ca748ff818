const lineFeed = 0x0a

export type Ending = 'terminated' | 'unterminated'

/** One line as it arrives. A returned promise means: no further bytes before it settles. */
export interface LineBody {
  /** Some bytes, not the last. */
  append(bytes: Uint8Array): Promise<void> | undefined
  /** The last bytes; with the line feed where the line is terminated. */
  finish(bytes: Uint8Array, ending: Ending): Promise<void> | undefined
}

export interface Framer {
  take(chunk: Uint8Array): Promise<void> | undefined
  /** The input is over: what is left is a line without terminator. */
  end(): Promise<void> | undefined
}

/**
 * Cuts a byte stream into lines at 0x0A and nowhere else: carriage returns, blank lines and U+2028 are content, and a line
 * may be of any length. Every byte is handed on exactly once.
 */
export function createFramer(openLine: () => LineBody): Framer {
  let line: LineBody | undefined

  const takeNext = (chunk: Uint8Array, from: number): { next: number; wait: Promise<void> | undefined } => {
    const end = chunk.indexOf(lineFeed, from)
    line ??= openLine()
    if (end < 0) return { next: chunk.length, wait: line.append(chunk.subarray(from)) }
    const finished = line
    line = undefined
    return { next: end + 1, wait: finished.finish(chunk.subarray(from, end + 1), 'terminated') }
  }

  const takeRest = async (chunk: Uint8Array, from: number, before: Promise<void>): Promise<void> => {
    await before
    for (let at = from; at < chunk.length; ) {
      const { next, wait } = takeNext(chunk, at)
      at = next
      if (wait !== undefined) await wait
    }
  }

  return {
    take(chunk) {
      for (let at = 0; at < chunk.length; ) {
        const { next, wait } = takeNext(chunk, at)
        at = next
        if (wait !== undefined) return takeRest(chunk, at, wait)
      }
      return undefined
    },
    end() {
      const rest = line
      line = undefined
      return rest?.finish(new Uint8Array(0), 'unterminated')
    },
  }
}
