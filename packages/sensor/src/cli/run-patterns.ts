import { loadPatterns } from '../redact/patterns.ts'
import { PatternsError } from '../redact/patterns-error.ts'
import type { CompiledPatterns } from '../redact/redactor.ts'
import { UsageError } from './usage-error.ts'
import { readText } from './yaml-config.ts'

/** The user's patterns. Throws UsageError `AFD_CONFIG_UNREADABLE` or a code of PatternsError, which names line and key. */
export function loadPatternsFile(path: string): CompiledPatterns {
  const text = readText(path)
  try {
    return loadPatterns(text)
  } catch (error) {
    if (error instanceof PatternsError) throw new UsageError(error.code, `${path}: ${error.message}`, '')
    throw error
  }
}
