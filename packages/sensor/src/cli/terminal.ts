/** Where a command writes: knows whether a person watches, and survives a reader that goes away. */
export interface Terminal {
  /** Resolves when the stream takes more; does nothing once the reader is gone. */
  write(text: string): Promise<void>
  paint(style: Style, text: string): string
  readonly isTerminal: boolean
  /** COLUMNS where it is set, else the terminal's own; undefined elsewhere: then nothing is cut to fit. */
  readonly columns: number | undefined
  /** Aborts when the reader closed the pipe (EPIPE): there is nobody left to write for. */
  readonly gone: AbortSignal
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

const styleCodes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

interface OutputStream {
  isTTY?: boolean
  columns?: number
  write(text: string, done?: (error?: Error | null) => void): boolean
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** Colours only on a terminal, never with NO_COLOR (no-color.org: present and not empty) or TERM=dumb. */
export function openTerminal(stream: OutputStream, env: Record<string, string | undefined>): Terminal {
  const isTerminal = stream.isTTY === true
  const colour = isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
  const reader = new AbortController()
  stream.on('error', (error) => {
    if (!isReaderGone(error)) throw error
    reader.abort(error)
  })
  return {
    write: (text) => writeAll(stream, text, reader),
    paint: (style, text) => (colour && text !== '' ? `\u001b[${styleCodes[style]}m${text}\u001b[0m` : text),
    isTerminal,
    get columns() {
      // A terminal that does not know its size says 0.
      return readColumns(env.COLUMNS) ?? (isTerminal ? stream.columns || 80 : undefined)
    },
    gone: reader.signal,
  }
}

/** POSIX: a positive whole number; anything else is as if it were not set. */
function readColumns(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,4}$/.test(text) ? Number(text) : undefined
}

function writeAll(stream: OutputStream, text: string, reader: AbortController): Promise<void> {
  if (reader.signal.aborted || text === '') return Promise.resolve()
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error === undefined || error === null) return resolve()
      if (!isReaderGone(error)) return reject(error)
      reader.abort(error)
      resolve()
    })
  })
}

function isReaderGone(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')
}
