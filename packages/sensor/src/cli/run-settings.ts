import type { CompiledPatterns } from '../redact/redactor.ts'
import { loadRunConfig, type RunConfig } from './run-config.ts'

/** What a configuration file says, and the patterns it names. */
export interface RunSettings {
  config: RunConfig
  patterns?: CompiledPatterns
}

/** Loaded, with yaml and zod, only where there is a file to read. Throws UsageError, which names place, key and remedy. */
export async function loadRunSettings(path: string): Promise<RunSettings> {
  const config = loadRunConfig(path)
  const patternsPath = config.redact?.patterns
  if (patternsPath === undefined) return { config }
  const { loadPatternsFile } = await import('./run-patterns.ts')
  return { config, patterns: loadPatternsFile(patternsPath) }
}
