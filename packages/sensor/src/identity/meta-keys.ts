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
    const value = key.includes('#') ? readMember(meta, key) : meta[key]
    if (typeof value === 'string' && value !== '') return { key: key.replace('#', '.'), text: value }
  }
  return undefined
}

const memberTextMax = 16_384

function readMember(meta: JsonObject, key: string): unknown {
  const at = key.indexOf('#')
  const value = meta[key.slice(0, at)]
  const object = typeof value === 'string' ? parseText(value) : value
  return isJsonObject(object) ? object[key.slice(at + 1)] : undefined
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
