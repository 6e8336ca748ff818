import type { Catalogue } from '../classify/catalogue.ts'
import { CatalogueFileError } from '../classify/compile.ts'
import { loadCatalogue } from '../classify/load-catalogue.ts'
import type { CatalogueConfig } from './catalogue-config.ts'
import { diagnose } from './diagnostics.ts'
import { UsageError } from './usage-error.ts'
import { readText } from './yaml-config.ts'

/**
 * For calls of these servers. Rejects with UsageError `AFD_CONFIG_UNREADABLE` or a code of CatalogueError, which names file, line
 * and key. A parser of SQL that is missing is said, and no reason to stop.
 */
export async function loadConfiguredCatalogue(
  { files = [], starter, values }: CatalogueConfig,
  servers: readonly string[],
): Promise<Catalogue> {
  try {
    return await loadCatalogue(
      { files, starter: starter === false ? 'none' : 'first', servers, values },
      { read: readText, reportMissing: ({ code, message }) => diagnose(code, message) },
    )
  } catch (error) {
    if (error instanceof CatalogueFileError) throw new UsageError(error.code, error.message, '')
    throw error
  }
}
