/** Sizes that the spool keeps to. All in bytes. */

/** What a `requested` sets aside for its `completed`, frame and commit included. */
export const completedBytesMax = 8192
/** Kept free at all times for `gap` opened, `gap` closed and `stream` closed. */
export const gapReserveBytes = 8192
/** A new segment starts when the one in use has this much allocated. */
export const segmentBytesMax = 64 * 1024 * 1024
/** One group commit takes at most this much, unless one record is larger: one sync never waits for tens of megabytes. */
export const commitBytesMax = 4 * 1024 * 1024
/** Frame of one record, body included. */
export const recordBytesMax = 64 * 1024 * 1024
/** All segments of a home together. */
export const spoolBytesMax = 4 * 1024 * 1024 * 1024
/** How long a refused allocation is not tried again. */
export const fullRetryMs = 500
