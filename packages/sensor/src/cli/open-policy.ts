import { readFileSync } from 'node:fs'
import { type ApprovalFiles, openApprovalFiles } from '../approve/approval-files.ts'
import { type OpenDesk, openDesk } from '../approve/desk.ts'
import type { PolicyInForce } from '../capture/ask-policy.ts'
import type { Emit } from '../capture/context.ts'
import { toHomePaths } from '../durable/home-paths.ts'
import { openAuthzen } from '../policy/authzen.ts'
import type { DecisionPoint } from '../policy/decision-point.ts'
import { type EmbeddedDecisionPoint, openEmbedded } from '../policy/embedded.ts'
import { PolicyError } from '../policy/policy-error.ts'
import { createRiskFinder, type FindRisk } from '../policy/risk.ts'
import { SessionCounters } from '../policy/session-counters.ts'
import { type ApprovalsConfig, toApprovers } from './approvals-config.ts'
import { diagnose, settleDiagnostic } from './diagnostics.ts'
import { toIdentityTrust } from './identity-config.ts'
import type { PolicyConfig } from './policy-config.ts'
import { readPolicySource } from './policy-source.ts'
import { redactSentence } from './redact-words.ts'
import { readSecret } from './secret-source.ts'
import { UsageError } from './usage-error.ts'

export interface OpenPolicy {
  inForce: PolicyInForce
  /** Where approvals are configured. */
  approvals: OpenApprovals | undefined
  /** Records what is in force, and from then on every change of it. Returns what stops that. */
  keep(emit: Emit): () => void
}

/** Where calls wait for approvals, with whom they may come from. */
export interface OpenApprovals {
  files: ApprovalFiles
  desk: OpenDesk
  config: ApprovalsConfig
}

const watchEveryMs = 1000

/** Puts the policies of a configuration in force. Throws UsageError where they are not there or not good. */
export async function openPolicy(config: PolicyConfig, homeDir: string): Promise<OpenPolicy> {
  const { mode = 'observe', onError = 'deny', authzen, sha256: pinned } = config
  const approvals = config.approvals === undefined ? undefined : openApprovals(config.approvals, homeDir)
  const toInForce = (point: DecisionPoint, said?: SaidOfOthers): PolicyInForce => ({
    mode,
    point,
    sessions: new SessionCounters(),
    approvals: approvals?.desk,
    get findRisk() {
      return said?.findRisk
    },
  })
  if (authzen !== undefined) {
    const { url, timeoutMs = 2000 } = authzen
    const token = authzen.token && readSecret(authzen.token, process.env, 'token of policy.authzen')
    return {
      inForce: toInForce(openAuthzen({ url, timeoutMs, onError, token, diagnose })),
      approvals,
      keep: () => () => undefined,
    }
  }
  const before = contentsOf(config)
  try {
    const source = await readPolicySource(config, homeDir)
    const point = await openEmbedded({ source, onError, pinned })
    const said: SaidOfOthers = { findRisk: createRiskFinder(source.risk ?? []) }
    return {
      inForce: toInForce(point, said),
      approvals,
      keep: (emit) => keepInForce({ config, homeDir, point, before, said }, emit),
    }
  } catch (error) {
    if (error instanceof PolicyError) throw new UsageError(error.code, error.message, error.remedy)
    throw error
  }
}

function openApprovals(config: ApprovalsConfig, homeDir: string): OpenApprovals {
  const { openSeconds, windowSeconds, uses, issuers = [] } = config
  // Files of issuers are read again when they are needed: a mistake in them should tell now.
  toIdentityTrust({ issuers }, undefined, process.env)
  const files = openApprovalFiles(toHomePaths(homeDir).approvals)
  const terms = { openSeconds, windowSeconds, uses }
  return { files, config, desk: openDesk({ files, terms, approvers: toApprovers(config), diagnose }) }
}

/** Replaced by each feed that is taken over. */
interface SaidOfOthers {
  findRisk: FindRisk
}

interface Kept {
  config: PolicyConfig
  homeDir: string
  point: EmbeddedDecisionPoint
  /** What the files held when they were read. */
  before: string
  said: SaidOfOthers
}

function keepInForce({ config, homeDir, point, before, said }: Kept, emit: Emit): () => void {
  void recordChange(emit, undefined, point)
  let known = before
  let failing: string | undefined
  const reload = async (): Promise<void> => {
    const last = point.hash
    try {
      const next = await readPolicySource(config, homeDir)
      point.replace(next)
      said.findRisk = createRiskFinder(next.risk ?? [])
      // In the same turn: what the new set decides is recorded after it.
      if (failing !== undefined) {
        settleDiagnostic(failing)
        diagnose('AFD_POLICY_BACK', 'the policies can be read again, and are in force as they stand there')
        failing = undefined
      }
      if (point.hash !== last) await recordChange(emit, last, point)
    } catch (error) {
      if (!(error instanceof PolicyError || error instanceof UsageError)) throw error
      const why = redactSentence(`${error.message}. ${error.remedy}`)
      failing = error.code
      settleDiagnostic('AFD_POLICY_BACK')
      diagnose(error.code, `the policies are not taken over, those before stay in force: ${why}`)
    }
  }
  const timer = setInterval(() => {
    const now = contentsOf(config)
    if (now === known) return
    known = now
    reload().catch((error: unknown) => {
      diagnose('AFD_DEFECT', `defect: ${error instanceof Error ? error.name : typeof error} while policies were read`)
    })
  }, watchEveryMs)
  timer.unref()
  return () => clearInterval(timer)
}

async function recordChange(
  emit: Emit,
  before: string | undefined,
  { hash: after, version, ids }: EmbeddedDecisionPoint,
): Promise<void> {
  const detail =
    before === undefined
      ? ({ subject: 'policy', event: 'loaded', after } as const)
      : ({ subject: 'policy', event: 'changed', before, after } as const)
  const input = Buffer.from(JSON.stringify({ ...(version === undefined ? {} : { version }), policies: ids }))
  try {
    await emit({ kind: 'change', detail }, { input })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    diagnose('AFD_AUDIT_UNAVAILABLE', `the policies in force could not be recorded (${code})`)
  }
}

/** Compared as a whole, not by their times. A file that is being replaced may be away for a moment. */
function contentsOf({ files = [], schema, feed }: PolicyConfig): string {
  const paths = [...files, ...(schema === undefined ? [] : [schema]), ...(feed === undefined ? [] : [feed.file])]
  return paths.map(readIfThere).join('\0')
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return ''
    throw error
  }
}
