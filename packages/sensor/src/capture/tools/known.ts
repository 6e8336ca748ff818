import type { Hash, KeyedDigest } from '@affidavit/evidence/record/header'
import type { CaptureContext } from '../context.ts'
import { bytesOf, type CapturedLine } from '../line.ts'
import type { ListedTool } from '../message.ts'
import { type Leaf, readLeaves } from './leaves.ts'

/** A definition in force, with what is held of it to compare a later one with. */
export interface Known {
  definition: Hash
  /** Of its JSON text as the server sent it; undefined where only the hash is left. */
  bytes: number | undefined
  held?: Held
}

/** At level `metadata` no text is kept: of every member its size and a keyed digest. Else the redacted JSON text. */
export type Held = { text: string } | { outline: Outline }
export type Outline = ReadonlyMap<string, OutlinedMember>
export interface OutlinedMember {
  /** Of its values, without keys and punctuation. */
  bytes: number
  digest: KeyedDigest
}

const utf8 = new TextDecoder()

/** The definition that a line shows. Without `held` where the line went by and is not in memory, or where reading it failed. */
export function toKnown(context: CaptureContext, line: CapturedLine, tool: ListedTool): Known {
  const known = { definition: tool.definition, bytes: tool.end - tool.start }
  const raw = bytesOf(line, tool)
  if (raw === undefined) return known
  const bytes = line.scanned.invalidUtf8 ? Buffer.from(utf8.decode(raw)) : raw
  try {
    const text = utf8.decode(context.redactor.redactJson(bytes).text)
    return { ...known, held: context.level === 'metadata' ? { outline: outline({ text }, context.digest) } : { text } }
  } catch (error) {
    // It costs what could be told of the definition, not the record that it is there.
    if (!(error instanceof Error)) throw error
    return known
  }
}

/** What is held, member by member, in the order of the definition. */
export function outline(held: Held, digest: CaptureContext['digest']): Outline {
  if ('outline' in held) return held.outline
  const parts = new Map<string, { bytes: number; leaves: string[] }>()
  for (const leaf of readLeaves(Buffer.from(held.text)).leaves) {
    const { member, value, text } = leaf
    const part = parts.get(member) ?? { bytes: 0, leaves: [] }
    part.bytes += Buffer.byteLength(value ?? text ?? '')
    part.leaves.push(outlineLeaf(leaf))
    parts.set(member, part)
  }
  return new Map(
    [...parts].map(([member, { bytes, leaves }]) => [member, { bytes, digest: digest(leaves.join('\n')) }]),
  )
}

/** A leaf as it goes into its member's digest. */
export function outlineLeaf({ path, value, text }: Pick<Leaf, 'path' | 'value' | 'text'>): string {
  return JSON.stringify([path, value ?? null, text ?? null])
}

/** Roughly what it takes in memory and in a file. */
export function sizeOfHeld(held: Held | undefined): number {
  if (held === undefined) return 0
  if ('text' in held) return Buffer.byteLength(held.text)
  let bytes = 0
  for (const member of held.outline.keys()) bytes += Buffer.byteLength(member) + 64
  return bytes
}
