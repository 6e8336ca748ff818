import { encodeShape, parseCanonical } from '../record/canonical.ts'
import { type RiskSignal, riskSignal } from '../record/risk.ts'
import { integer, listOf, object, oneOf, optional } from '../record/shape.ts'
import { shortText, text } from '../record/text.ts'
import { timestamp } from '../record/timestamp.ts'
import { encodeSignedLine, parseSignedLine, type VerifyLineSignature, withDomain } from './signed-line.ts'

/** What whoever governs a fleet hands to its sensors. The same bytes whether they come as a file or over a network. */
export interface ControlFeed {
  v: 1
  /** Goes up with every document; a sensor takes none with a lower one than it has seen. */
  version: number
  /** When it was published, RFC 3339 UTC. */
  issued: string
  policies: FeedText[]
  schema?: FeedText
  /** Whom policies are to be careful with, at most 4,096. */
  risk?: RiskSignal[]
}

export interface FeedText {
  name: string
  text: string
}

const named = object({ name: shortText, text: text(1 << 20) })
const feedShape = object({
  v: oneOf([1]),
  version: integer(),
  issued: timestamp,
  policies: listOf(named, 256),
  schema: optional(named),
  risk: optional(listOf(riskSignal, 4096)),
})

const feedBytesMax = 1 << 23
const domain = 'affidavit control feed v1'

export type FeedErrorCode =
  | 'feed_malformed' // not a document and its signature, one line each
  | 'feed_signature' // signed by somebody else, or changed since
  | 'feed_rollback' // older than what was seen before
  | 'feed_equivocation' // another document under a version that was seen before

/** A feed is not taken over; what was in force before stays. */
export class FeedError extends Error {
  override readonly name = 'FeedError'
  readonly code: FeedErrorCode
  readonly retry = false

  constructor(code: FeedErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** The document's line, without LF: canonical JSON. Throws RecordError where it is no feed. */
export function encodeFeed(feed: ControlFeed): Uint8Array {
  return encodeShape(feed, feedShape, feedBytesMax)
}

/** What is signed of it. */
export function encodeFeedMessage(document: Uint8Array): Uint8Array {
  return withDomain(domain, document)
}

/** The document, LF, the signature in base64, LF. */
export function encodeFeedFile(document: Uint8Array, signature: Uint8Array): Uint8Array {
  return encodeSignedLine({ line: document, signature })
}

/** What was seen last: its version, and the line's hash or whatever tells two lines apart. */
export interface SeenFeed {
  version: number
  document: string
}

/**
 * Reads a feed that is signed and not older than `seen`. Nothing of the document is read before its signature is found
 * good. `name` makes of the line what SeenFeed.document holds. Throws FeedError, or RecordError for a signed document of
 * another form.
 */
export async function verifyFeed(
  file: Uint8Array,
  {
    verify,
    seen,
    name,
  }: { verify: VerifyLineSignature; seen: SeenFeed | undefined; name: (line: Uint8Array) => string },
): Promise<{ feed: ControlFeed; seen: SeenFeed }> {
  const { document, signature } = parseFile(file)
  if (!(await verify(encodeFeedMessage(document), signature)))
    throw new FeedError('feed_signature', 'the signature is not that of the configured key over this document')
  const feed = parseDocument(document)
  const now = { version: feed.version, document: name(document) }
  if (seen !== undefined && feed.version < seen.version)
    throw new FeedError('feed_rollback', `it has version ${feed.version}, and version ${seen.version} was seen before`)
  if (seen !== undefined && feed.version === seen.version && now.document !== seen.document)
    throw new FeedError('feed_equivocation', `another document with version ${feed.version} was seen before`)
  return { feed, seen: now }
}

function parseDocument(document: Uint8Array): ControlFeed {
  return parseCanonical(document, feedBytesMax, feedShape) as ControlFeed
}

function parseFile(file: Uint8Array): { document: Uint8Array; signature: Uint8Array } {
  const parsed = parseSignedLine(file, feedBytesMax)
  if (typeof parsed === 'string')
    throw new FeedError('feed_malformed', `expected a document and its signature: ${parsed}`)
  return { document: parsed.line, signature: parsed.signature }
}
