import { resolve } from 'node:path'
import { z } from 'zod'

/** The block `catalogue` of a configuration (docs/CATALOGUE.md). */
export const catalogueSchema = z.strictObject({
  files: z.array(z.string().min(1)).max(100).optional().describe('YAML files, applied in this order; later ones win'),
  starter: z.boolean().optional().describe('whether the starter catalogue comes before them; default true'),
  values: z
    .string()
    .min(1)
    .optional()
    .describe('follow values of data from this level on; none: no values; default: from the second highest level on'),
})

export type CatalogueConfig = z.infer<typeof catalogueSchema>

/** The same block with files named from the root; `folder` is the configuration file's. */
export function resolveCatalogue(config: CatalogueConfig, folder: string): CatalogueConfig {
  return { ...config, files: (config.files ?? []).map((path) => resolve(folder, path)) }
}
