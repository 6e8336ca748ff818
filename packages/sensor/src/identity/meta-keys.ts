export type JsonObject = Record<string, unknown>

/** Takes out of free text what must not be kept. */
export type Redact = (text: string) => string

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The first of the keys whose value is text that is not empty. `key#member` names a member of the object under `key`, which
 * some clients send as an object and some as its JSON text.
 */
export function readFirst(meta: JsonObject, keys: readonly string[]): { key: string; text: string } | undefined {
  for (const key of keys) {
    const [outer = '', member] = key.split('#')
    const value = member === undefined ? meta[outer] : readMember(meta[outer], member)
    if (typeof value === 'string' && value !== '') return { key: key.replace('#', '.'), text: value }
  }
  return undefined
}

const memberTextMax = 16_384

function readMember(value: unknown, member: string): unknown {
  const object = typeof value === 'string' ? parseText(value) : value
  return isJsonObject(object) ? object[member] : undefined
}

function parseText(text: string): unknown {
  if (text.length > memberTextMax) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
