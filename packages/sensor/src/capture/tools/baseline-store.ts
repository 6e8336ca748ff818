import type { CaptureContext } from '../context.ts'
import { guardRedactor } from '../guard-redactor.ts'
import { type Baseline, encodeBaseline, parseBaseline } from './baseline.ts'
import type { InForce } from './in-force.ts'
import { type Held, outline } from './known.ts'
import type { Views } from './views.ts'

/** Where baselines are kept, by the name of the server as configured. Both reject where the system says no. */
export interface BaselineStore {
  load(server: string): Promise<Uint8Array | undefined>
  save(server: string, bytes: Uint8Array): Promise<void>
}

export type BaselineContext = Pick<CaptureContext, 'baselines' | 'serverName' | 'redactor' | 'diagnose'>

/** What earlier processes saw of the server. Undefined where there is nothing, or nothing that can be read: that is told. */
export async function loadBaseline(
  context: CaptureContext,
): Promise<{ baseline: Baseline; bytes: Uint8Array } | undefined> {
  const bytes = await read(context)
  if (bytes === undefined) return undefined
  const baseline = parseBaseline(bytes)
  if (baseline === undefined) return lost(context, 'it is malformed')
  const keep = (held: Held): Held => (context.level === 'metadata' ? { outline: outline(held, context.digest) } : held)
  const tools = baseline.tools.map(([name, forms]): Baseline['tools'][number] => [
    name,
    forms.map(({ held, ...known }) => (held === undefined ? known : { ...known, held: keep(held) })),
  ])
  return { baseline: { ...baseline, tools }, bytes }
}

async function read(context: BaselineContext): Promise<Uint8Array | undefined> {
  try {
    return await context.baselines?.load(context.serverName)
  } catch (error) {
    return lost(context, error instanceof Error && 'code' in error ? String(error.code) : 'unknown')
  }
}

function lost({ diagnose }: BaselineContext, why: string): undefined {
  diagnose('AFD_BASELINE_LOST', `what was known of the tools of this server cannot be read (${why}); they appear anew`)
}

/** Saves what differs from `saved`. Returns what is saved then. */
export async function keepBaseline(
  context: BaselineContext,
  known: { inForce: InForce; views: Views },
  saved: Uint8Array | undefined,
): Promise<Uint8Array | undefined> {
  if (context.baselines === undefined) return saved
  const redactor = guardRedactor(context)
  const isPlain = (name: string) => redactor.redactText(name).text === name
  const bytes = encodeBaseline(known.inForce, known.views, isPlain)
  if (saved !== undefined && Buffer.compare(bytes, saved) === 0) return saved
  try {
    await context.baselines.save(context.serverName, bytes)
    return bytes
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    const sentence = `what is known of the tools of this server could not be kept (${code}); they may appear anew`
    context.diagnose('AFD_BASELINE_NOT_KEPT', sentence)
    return saved
  }
}
