/** Sizes that the spool keeps to. All in bytes. */

/** What a `requested` sets aside for its `completed`, frame and commit included. */
export const completedBytesMax = 8192
/** Kept free at all times for `gap` opened, `gap` closed and `stream` closed. */
export const gapReserveBytes = 8192
/** Calls of one stream that may be open at a time; together they set aside 128 MiB. */
export const openCallsMax = 16_384
/** A new segment starts when this much is written to the one in use, or as much as open calls set aside if that is more. */
export const segmentBytesMax = 64 * 1024 * 1024
/** One group commit takes at most this much, unless one record is larger: one sync never waits for tens of megabytes. */
export const commitBytesMax = 4 * 1024 * 1024
/** Frame of one record, body included. */
export const recordBytesMax = 64 * 1024 * 1024
/** All segments of a home together. */
export const spoolBytesMax = 4 * 1024 * 1024 * 1024
/** How long a refused allocation is not tried again. */
export const fullRetryMs = 500
