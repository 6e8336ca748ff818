/** What a catalogue may name in `as`. `sql` is a plug-in. */
export const extractorNames = ['path', 'url', 'host', 'recipient', 'bucket', 'kubernetes', 'repository', 'sql'] as const
export type ExtractorName = (typeof extractorNames)[number]
