/** Sizes that the spool keeps to. All in bytes. */

/** What a `requested` sets aside for its `completed`, frame and commit included. */
export const completedBytesMax = 8192
/** Kept free at all times for `gap` opened, `gap` closed and `stream` closed. */
export const gapReserveBytes = 8192
/** A new segment starts when the one in use has this much written. */
export const segmentBytesMax = 64 * 1024 * 1024
/** Space is written with zeros in steps of this size, ahead of its use. */
export const preallocateBytes = 1024 * 1024
/** What a new stream starts with: small, because a session waits for it. */
export const firstPreallocateBytes = 256 * 1024
/** One group commit takes at most this much, so that one sync never waits for tens of megabytes. */
export const commitBytesMax = 4 * 1024 * 1024
/** Below the limit of a log entry, so that the collector's envelope fits. */
export const headerBytesMax = 60_000
export const bodyBytesMax = 64 * 1024 * 1024
/** All segments of a home together. */
export const spoolBytesMax = 4 * 1024 * 1024 * 1024
/** How long a refused preallocation is not tried again. */
export const fullRetryMs = 500
