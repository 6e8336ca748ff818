import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isMap, isScalar, LineCounter, type ParsedNode, parseDocument } from 'yaml'
import { z } from 'zod'
import { effects, levels } from './run-options.ts'
import { UsageError } from './usage-error.ts'

const configSchema = z.strictObject({
  server: z.string().min(1).max(256).optional(),
  level: z.enum(levels).optional(),
  failOpen: z.array(z.enum(effects)).optional(),
  redact: z.strictObject({ patterns: z.string().min(1).optional() }).optional(),
  limits: z.strictObject({ spoolBytes: z.int().min(1_048_576).optional() }).optional(),
})

/** What a configuration file may say; the command line goes before it. `patterns` is an absolute path. */
export type RunConfig = z.infer<typeof configSchema>

const remedy = 'Known are server, level, failOpen, redact.patterns and limits.spoolBytes.'

/** Throws UsageError `AFD_CONFIG_UNREADABLE` or `AFD_CONFIG_INVALID`, which names line, key and remedy. */
export function loadRunConfig(path: string): RunConfig {
  const text = readText(path)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const [problem] = document.errors
  if (problem !== undefined) {
    const { line } = lines.linePos(problem.pos[0])
    throw invalid(`${path}, line ${line}: not YAML (${problem.code})`, 'Correct the line.')
  }
  const parsed = configSchema.safeParse(document.toJS() ?? {})
  const [issue] = parsed.error?.issues ?? []
  if (issue !== undefined) {
    const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
    const keys = [...issue.path, ...unknownKey].map(String)
    const line = lines.linePos(offsetOf(document.contents, keys)).line
    throw invalid(`${path}, line ${line}: ${keys.join('.') || 'the file'}: ${issue.message}`, remedy)
  }
  const config = parsed.data ?? {}
  const patterns = config.redact?.patterns
  return patterns === undefined ? config : { ...config, redact: { patterns: resolve(dirname(path), patterns) } }
}

/** Throws UsageError `AFD_CONFIG_UNREADABLE`. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new UsageError('AFD_CONFIG_UNREADABLE', `${path} cannot be read (${code})`, 'Check its path and permissions.')
  }
}

function invalid(problem: string, advice: string): UsageError {
  return new UsageError('AFD_CONFIG_INVALID', problem, advice)
}

/** Where the deepest key of the path stands that the document has. */
function offsetOf(contents: ParsedNode | null, keys: readonly string[]): number {
  let node: unknown = contents
  let offset = contents?.range[0] ?? 0
  for (const key of keys) {
    if (!isMap(node)) break
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
    if (pair === undefined) break
    offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset
    node = pair.value
  }
  return offset
}
