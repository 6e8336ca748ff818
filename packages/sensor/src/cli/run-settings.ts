import type { Catalogue } from '../classify/catalogue.ts'
import type { CompiledPatterns } from '../redact/redactor.ts'
import type { OpenPolicy } from './open-policy.ts'
import { loadRunConfig, type RunConfig } from './run-config.ts'

/** What a configuration file says, and the patterns and the catalogue it names. */
export interface RunSettings {
  config: RunConfig
  patterns?: CompiledPatterns
  catalogue?: Catalogue
  policy?: OpenPolicy
}

/**
 * Loaded, with yaml and zod, only where there is a file to read. `nameServer` says under which name the server goes where the
 * file gives it none. Throws UsageError, which names place, key and remedy.
 */
export async function loadRunSettings(
  path: string,
  { homeDir, nameServer }: { homeDir: string; nameServer: (configured: string | undefined) => string },
): Promise<RunSettings> {
  const config = loadRunConfig(path)
  const settings: RunSettings = { config }
  const patternsPath = config.redact?.patterns
  if (patternsPath !== undefined) {
    const { loadPatternsFile } = await import('./run-patterns.ts')
    settings.patterns = loadPatternsFile(patternsPath)
  }
  if (config.catalogue !== undefined) {
    const { loadConfiguredCatalogue } = await import('./run-catalogue.ts')
    settings.catalogue = await loadConfiguredCatalogue(config.catalogue, [nameServer(config.server)])
  }
  if (config.policy !== undefined) {
    const { openPolicy } = await import('./open-policy.ts')
    settings.policy = await openPolicy(config.policy, homeDir)
  }
  return settings
}
