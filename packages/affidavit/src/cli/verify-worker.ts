import { parentPort, workerData } from 'node:worker_threads'
import { type PagesTask, runPages } from './verify-pages.ts'

/** Entry point of a verification thread: one part of a home, from verify-pages.ts and back to it. */

const reportEvery = 16_384

let reported = 0
const result = await runPages(parseTask(workerData), (done) => {
  if (done - reported < reportEvery) return
  reported = done
  parentPort?.postMessage({ done })
})
parentPort?.postMessage({ result })

/** Posted by this very program, by structured clone: the same object on the other side. */
function parseTask(posted: unknown): PagesTask {
  return posted as PagesTask
}
