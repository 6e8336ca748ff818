const pattern = /^([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})-(\d{6})\.seg$/

/** Segments of a stream are numbered from 1. */
export interface SegmentName {
  streamId: string
  segment: number
}

export const formatSegmentName = ({ streamId, segment }: SegmentName): string =>
  `${streamId}-${String(segment).padStart(6, '0')}.seg`

/** undefined for any other file, temporary ones included. */
export function toSegmentName(fileName: string): SegmentName | undefined {
  const [, streamId, segment] = pattern.exec(fileName) ?? []
  return streamId === undefined || segment === undefined ? undefined : { streamId, segment: Number(segment) }
}
