/** What the receiver reads of an OTLP span, in whatever encoding it came. */

/** `text`: of strings as they are, of numbers and booleans in decimal or as words; absent for lists and maps. */
export interface Attribute {
  text?: string
  /** The value as JSON text. */
  json: string
}

export type Attributes = Map<string, Attribute>

export const spanKinds = { internal: 1, server: 2, client: 3 } as const

export interface OtlpSpan {
  /** Lower-case hex digits; whatever number of them was sent. */
  traceId: string
  spanId: string
  /** Empty where there is none. */
  parentSpanId: string
  kind: number
  startNs: bigint
  endNs: bigint
  attributes: Attributes
  /** 2: the operation failed. */
  status: number
  statusMessage: string
}

/** A span with what it shares with others of its batch: the program that made it. */
export interface PlacedSpan {
  span: OtlpSpan
  resource: Attributes
}

export const statusError = 2
/** An attribute whose value is nested deeper counts as not told. */
export const valueDepthMax = 32

export function emptySpan(): OtlpSpan {
  return {
    traceId: '', spanId: '', parentSpanId: '', kind: 0, startNs: 0n, endNs: 0n, attributes: new Map(), status: 0,
    statusMessage: '',
  } // biome-ignore format: one span
}

export const nullAttribute: Attribute = { json: 'null' }

export function textAttribute(text: string): Attribute {
  return { text, json: JSON.stringify(text) }
}

/** Integers and booleans: their JSON text is their text. */
export function plainAttribute(value: bigint | boolean): Attribute {
  const text = String(value)
  return { text, json: text }
}

/** JSON has no word for what is no number. */
export function doubleAttribute(value: number): Attribute {
  const text = String(value)
  return { text, json: Number.isFinite(value) ? JSON.stringify(value) : JSON.stringify(text) }
}

export function listAttribute(items: readonly Attribute[]): Attribute {
  return { json: `[${items.map(({ json }) => json).join(',')}]` }
}

export function mapAttribute(members: readonly (readonly [string, Attribute])[]): Attribute {
  return { json: `{${members.map(([key, { json }]) => `${JSON.stringify(key)}:${json}`).join(',')}}` }
}

/** The first of these that is there. */
export function attributeAt(attributes: Attributes, keys: readonly string[]): Attribute | undefined {
  const key = keys.find((each) => attributes.has(each))
  return key === undefined ? undefined : attributes.get(key)
}

/** What is longer is no name, and counts as not told: cut, half a secret in it would no longer look like one. */
const nameCharsMax = 1024

export function textAt(attributes: Attributes, keys: readonly string[]): string | undefined {
  const text = attributeAt(attributes, keys)?.text
  return text === '' || (text?.length ?? 0) > nameCharsMax ? undefined : text
}
