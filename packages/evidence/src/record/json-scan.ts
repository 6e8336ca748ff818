/** Resumable JSON tokenizer over bytes (RFC 8259), for text an attacker wrote. Iterative: nesting costs a byte per level. */

export type JsonTokenType =
  | 'beginObject' | 'endObject' | 'beginArray' | 'endArray' | 'key' | 'string' | 'number' | 'true' | 'false' | 'null' // biome-ignore format: one list

export interface JsonToken {
  type: JsonTokenType
  /** Byte offsets from the first byte pushed; [start, end) includes the quotes of strings and keys. */
  start: number
  end: number
  /** Containers open around the token: 0 for the top value and its own brackets, 1 for its keys and members. */
  depth: number
  /** The token's bytes; undefined where it is longer than tokenBytesMax. */
  raw: Uint8Array | undefined
}

export interface JsonProblem {
  code: 'not_json' | 'not_utf8' | 'too_deep'
  offset: number
}

export interface JsonScanOptions {
  /** Default 512. Deeper text is a problem, not a crash. */
  depthMax?: number
  /** Default unlimited. */
  tokenBytesMax?: number
}

/**
 * push() bytes as they come, end() when the text is over. Tokens reach onToken in order, each once. After a problem
 * nothing more is reported and end() returns it; undefined means exactly one well-formed JSON value in valid UTF-8.
 * Lone surrogate escapes and duplicate keys are well-formed here: the caller judges them.
 */
export declare class JsonScanner {
  constructor(onToken: (token: JsonToken) => void, options?: JsonScanOptions)
  push(chunk: Uint8Array): void
  end(): JsonProblem | undefined
}
