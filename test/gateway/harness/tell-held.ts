/**
 * Imported into a process before its own code: says again and again on stderr how much memory it holds. What nobody holds any
 * more V8 lets lie as long as it sees fit, which is most of a peak and another amount every time; so it is collected before.
 */
function tellHeld(): void {
  // Buffers that a collection finds dead are freed beside the program; the next collection waits for that.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  process.stderr.write(`holds ${heapUsed + external} bytes\n`)
}

setInterval(tellHeld, 50).unref()
