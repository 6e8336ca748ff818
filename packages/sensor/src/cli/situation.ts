import type { CaptureContext } from '../capture/context.ts'
import { guardRedactor } from '../capture/guard-redactor.ts'
import { askCloud, CloudError, type CloudSource } from '../identity/cloud-metadata.ts'
import { learnPlaces } from '../identity/places.ts'
import { openPosture, type PostureFeed } from '../identity/posture.ts'
import type { Surroundings } from '../identity/surroundings.ts'
import type { Redactor } from '../redact/redactor.ts'
import { diagnose } from './diagnostics.ts'
import type { PostureConfig, SituationConfig } from './situation-config.ts'

/** Where a cloud does not answer, it is asked again after this time, each time twice as long, an hour at most. */
const cloudRetryMs = 10_000
const cloudRetryMsMax = 3_600_000

/** What a configuration wants to be known of machine and posture. Nothing of it is waited for. */
export function openSituation(
  config: SituationConfig,
  { surroundings, redactor }: { surroundings: Surroundings; redactor: Redactor },
): { currentPosture: CaptureContext['currentPosture']; close: () => void } {
  const guarded = guardRedactor({ redactor, diagnose })
  const { cloud, ...configured } = config.environment ?? {}
  const redact = (text: string) => guarded.redactText(text).text
  const learned = learnPlaces(surroundings, { configured, env: process.env, redact, diagnose })
  const stopAsking = cloud === undefined ? undefined : keepAsking(cloud, surroundings, learned)
  const posture = config.posture === undefined ? undefined : follow(config.posture, guarded)
  return {
    currentPosture: posture === undefined ? undefined : () => posture.current(Date.now()),
    close() {
      stopAsking?.()
      posture?.close()
    },
  }
}

function follow(config: PostureConfig, redactor: Redactor): PostureFeed {
  const { everySeconds, maxAgeSeconds = 3 * everySeconds, ...source } = config
  return openPosture({
    source,
    everyMs: everySeconds * 1000,
    maxAgeMs: maxAgeSeconds * 1000,
    redactJson: (text) => redactor.redactJson(text).text,
    diagnose,
  })
}

/** What is configured goes before what a cloud says: it is learned first. */
function keepAsking(source: CloudSource, surroundings: Surroundings, first: Promise<void>): () => void {
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  const ask = async (waitMs: number): Promise<void> => {
    try {
      surroundings.learn(await askCloud(source), `${source.provider} instance metadata`)
    } catch (error) {
      if (!(error instanceof CloudError)) throw error
      if (waitMs === cloudRetryMs)
        diagnose(
          'AFD_CLOUD_SILENT',
          `region and zone are not known: the metadata service of ${source.provider} gives nothing (${error.code})`,
        )
      if (!isOver) timer = setTimeout(() => void ask(Math.min(cloudRetryMsMax, waitMs * 2)), waitMs).unref()
    }
  }
  void first.then(() => ask(cloudRetryMs))
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
