import { encodeCanonical } from '@affidavit/evidence/record/canonical'
import type { ChangeDetail, ServerRef, Uuid } from '@affidavit/evidence/record/header'
import { clipText } from '@affidavit/evidence/record/text'
import type { Moment } from '../clock.ts'
import type { CaptureContext } from '../context.ts'
import { elideFailure } from '../elide.ts'
import { describeNews, type News, type NewsPlace } from './describe.ts'

/** What records of changes have in common. */
export interface NewsSource {
  listing: Uuid
  server: ServerRef
  arrived: Moment
  /** Tools of the page that were not looked at: too many, or names that no header takes. */
  unreadCount: number
}

type Omitted = NonNullable<NewsPlace['omitted']>
const order: readonly News['event'][] = ['changed', 'disappeared', 'appeared']

/**
 * Records at most `max` of the news, and in the last record what is left out. A flood of new tools takes no room from
 * changes. Resolves when all that could be recorded is durable: with what could not, and why, where something may not pass.
 */
export async function recordNews(
  context: CaptureContext,
  news: readonly News[],
  source: NewsSource,
  max: number,
): Promise<{ unrecorded: readonly News[]; failure: unknown }> {
  const ordered = order.flatMap((event) => news.filter((each) => each.event === event))
  const chosen = ordered.slice(0, max)
  const omitted = countOmitted(ordered.slice(max), source.unreadCount)
  const results = await Promise.allSettled(
    chosen.map((each, i) => {
      const isLast = i === chosen.length - 1
      const place = { listing: source.listing, ...(isLast && omitted !== undefined ? { omitted } : {}) }
      return recordOne(context, each, source, place)
    }),
  )
  const isRecorded = results.map((result) => result.status === 'fulfilled' && result.value)
  // What the last record counts is told with it.
  const unrecorded = ordered.filter((_, i) => isRecorded[Math.min(i, chosen.length - 1)] !== true)
  const failed = results.find((result) => result.status === 'rejected')
  return { unrecorded, failure: failed?.reason }
}

async function recordOne(context: CaptureContext, news: News, source: NewsSource, place: NewsPlace): Promise<boolean> {
  const { server, arrived } = source
  const name = clipText(context.redactor.redactText(news.name).text)
  const input = describe(context, news, place)
  const { recorded } = await context.emit(
    { kind: 'change', server, detail: toDetail(name, news), ...arrived },
    { input },
  )
  return recorded
}

/** A description that fails costs the value, never the record. */
function describe(context: CaptureContext, news: News, place: NewsPlace): Uint8Array {
  try {
    return describeNews(context, news, place)
  } catch (error) {
    return encodeCanonical({ ...place, ...elideFailure(error, news.after?.bytes ?? news.before?.bytes ?? 0) })
  }
}

function toDetail(name: string, { event, before, after }: News): ChangeDetail {
  switch (event) {
    case 'appeared':
      return { subject: 'tool', name, event, after: after.definition }
    case 'changed':
      return { subject: 'tool', name, event, before: before.definition, after: after.definition }
    case 'disappeared':
      return { subject: 'tool', name, event, before: before.definition }
  }
}

function countOmitted(news: readonly News[], unreadCount: number): Omitted | undefined {
  const omitted: Omitted = unreadCount === 0 ? {} : { unread: unreadCount }
  for (const { event } of news) omitted[event] = (omitted[event] ?? 0) + 1
  return Object.keys(omitted).length === 0 ? undefined : omitted
}
