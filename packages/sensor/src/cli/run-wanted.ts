import type { CaptureContext } from '../capture/context.ts'
import type { Redactor } from '../redact/redactor.ts'
import type { RunConfig } from './run-config.ts'
import type { RunIdentityParts } from './run-identity.ts'
import type { StdioSituation } from './stdio-situation.ts'

export interface WantedParts extends RunIdentityParts {
  situation: StdioSituation
  redactor: Redactor
}

/** What a configuration wants to be known beside what the kernel tells, and pods are told. */
export interface Wanted {
  currentPosture: CaptureContext['currentPosture']
  close(): void
}

/** Loads what it takes only where somebody wants it: most servers are wrapped without a configuration. */
export async function openWanted(config: RunConfig, parts: WantedParts): Promise<Wanted | undefined> {
  const { identity, environment, posture } = config
  const isPod = process.env.KUBERNETES_SERVICE_HOST !== undefined
  const token =
    identity === undefined ? undefined : (await import('./run-identity.ts')).openRunIdentity(identity, parts)
  const own =
    identity?.workloadApi === undefined
      ? undefined
      : (await import('./own-identity.ts')).startOwnIdentity(identity, parts)
  parts.situation.follow({ token, own })
  const closeNames = () => {
    token?.close()
    own?.close()
  }
  if (environment === undefined && posture === undefined && !isPod)
    return identity === undefined ? undefined : { currentPosture: undefined, close: closeNames }
  const { openSituation } = await import('./situation.ts')
  const { surroundings } = parts.situation
  const { currentPosture, close } = openSituation(config, { surroundings, redactor: parts.redactor })
  return {
    currentPosture,
    close() {
      close()
      closeNames()
    },
  }
}
