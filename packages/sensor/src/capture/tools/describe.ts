import type { Uuid } from '@affidavit/evidence/record/header'
import { clipText } from '@affidavit/evidence/record/text'
import type { CaptureContext } from '../context.ts'
import { countHidden, readTags, toVisible } from './hidden.ts'
import { type Held, type Known, outline } from './known.ts'
import { type Leaf, readLeaves, toLines } from './leaves.ts'
import { diffLines } from './line-diff.ts'

const descriptionBytesMax = 4096
const membersMax = 64
const memberBytesMax = 256
const hiddenMax = 32
const diffLinesMax = 200
const diffBytesMax = 32 * 1024
const parameterPath = /^inputSchema\.properties(?:\.|(?=\[))/
const annotationPath = /^annotations\./

/** That a tool came, changed or went, with its definitions as far as they are known. */
export type News = { name: string } & (
  | { event: 'appeared'; before: undefined; after: Known }
  | { event: 'changed'; before: Known; after: Known }
  | { event: 'disappeared'; before: Known; after: undefined }
)

/** What one record has to say beside the news themselves. */
export interface NewsPlace {
  /** The tools/list that showed it: who asked is in its records. */
  listing: Uuid
  /** In the last record of a listing: what there was no record for, by event. */
  omitted?: Partial<Record<News['event'] | 'unread', number>>
}

type Context = Pick<CaptureContext, 'level' | 'digest' | 'redactor'>

/** Section `input` of a `change` record (docs/RECORD.md): JSON text of what is new in a tool, redacted and readable. */
export function describeNews(context: Context, news: News, place: NewsPlace): Uint8Array {
  const { before, after } = news
  const sides = [['before', before], ['after', after]] as const // biome-ignore format: two sides
  const notHeld = sides.flatMap(([side, known]) => (known !== undefined && known.held === undefined ? [side] : []))
  const told = {
    listing: place.listing,
    bytes: { before: before?.bytes, after: after?.bytes },
    ...(notHeld.length === 0 ? {} : { notHeld }),
    ...(news.event === 'changed'
      ? describeChange(context, before?.held, after?.held)
      : describeTool(context, (after ?? before)?.held)),
    ...(place.omitted === undefined ? {} : { omitted: place.omitted }),
  }
  return Buffer.from(JSON.stringify(told))
}

function describeChange(context: Context, before: Held | undefined, after: Held | undefined) {
  if (before === undefined || after === undefined)
    return context.level === 'metadata' || after === undefined ? {} : describeTool(context, after)
  const [old, now] = [outline(before, context.digest), outline(after, context.digest)]
  const changed = [...new Set([...old.keys(), ...now.keys()])].filter(
    (member) => old.get(member)?.digest !== now.get(member)?.digest,
  )
  const listed = changed.slice(0, membersMax).map((member) => clipText(member, memberBytesMax))
  const cut = changed.length > listed.length ? { moreChanged: changed.length - listed.length } : {}
  if (context.level === 'metadata') {
    const sizes = changed
      .slice(0, membersMax)
      .map((member) => [old.get(member)?.bytes ?? null, now.get(member)?.bytes ?? null])
    return { changed: listed, sizes, ...cut }
  }
  if (!('text' in before && 'text' in after)) return { changed: listed, ...cut, ...describeTool(context, after) }
  const [from, to] = [readLeaves(Buffer.from(before.text)), readLeaves(Buffer.from(after.text))]
  const diff = cutDiff(diffLines(toLines(from.leaves), toLines(to.leaves)))
  const unread = from.isWhole && to.isWhole ? {} : { unread: true }
  return { changed: listed, ...cut, ...diff, ...unread, ...describeHidden(context, to.leaves) }
}

/** Of one definition alone: what an agent is told that the tool does. */
function describeTool(context: Context, held: Held | undefined) {
  if (held === undefined) return {}
  if (!('text' in held) || context.level === 'metadata') {
    const members = [...outline(held, context.digest)].slice(0, membersMax)
    return {
      members: members.map(([member]) => clipText(member, memberBytesMax)),
      sizes: members.map(([, { bytes }]) => bytes),
    }
  }
  const { leaves, isWhole } = readLeaves(Buffer.from(held.text))
  const textAt = (path: string) => leaves.findLast((leaf) => leaf.path === path)?.text
  const [title, description] = [textAt('title'), textAt('description')]
  const parameters = [...new Set(leaves.map(({ member }) => member))].filter((member) => parameterPath.test(member))
  const annotations = toLines(leaves.filter(({ member }) => annotationPath.test(member)))
  return {
    ...(title === undefined ? {} : { title: clipText(toVisible(title), memberBytesMax) }),
    ...(description === undefined ? {} : { description: clipText(toVisible(description), descriptionBytesMax) }),
    parameters: cutNames(parameters, parameterPath),
    ...(parameters.length > membersMax ? { moreParameters: parameters.length - membersMax } : {}),
    ...(annotations.length === 0 ? {} : { annotations: cutNames(annotations, annotationPath) }),
    ...(isWhole ? {} : { unread: true }),
    ...describeHidden(context, leaves),
  }
}

function cutNames(names: readonly string[], start: RegExp): string[] {
  return names.slice(0, membersMax).map((name) => clipText(name.replace(start, ''), memberBytesMax))
}

/** The first lines, and how many more there are: a definition may be as long as its server likes. */
function cutDiff(lines: readonly string[]): { diff: string[]; moreLines?: number } {
  const diff: string[] = []
  let bytes = 0
  for (const line of lines) {
    bytes += Buffer.byteLength(line)
    if (diff.length >= diffLinesMax || bytes > diffBytesMax) break
    diff.push(line)
  }
  return diff.length === lines.length ? { diff } : { diff, moreLines: lines.length - diff.length }
}

/** Points out what nobody would see: hidden characters, and what they spell where they stand for letters. */
function describeHidden({ redactor }: Context, leaves: readonly Leaf[]) {
  const found = leaves.flatMap(({ path, text }) => {
    const counts = text === undefined ? undefined : countHidden(text)
    if (text === undefined || counts === undefined || counts.size === 0) return []
    const spelt = readTags(text)
    const tags = spelt === '' ? {} : { spells: clipText(redactor.redactText(spelt).text, memberBytesMax) }
    return [{ at: path, characters: Object.fromEntries([...counts].slice(0, hiddenMax)), ...tags }]
  })
  return found.length === 0 ? {} : { hidden: found.slice(0, hiddenMax) }
}
