export const catalogueErrorCodes = ['AFD_CATALOGUE_NOT_YAML', 'AFD_CATALOGUE_INVALID', 'AFD_CATALOGUE_LEVEL', 'AFD_CATALOGUE_REGEX', 'AFD_CATALOGUE_EXAMPLE'] as const // biome-ignore format: one list
export type CatalogueErrorCode = (typeof catalogueErrorCodes)[number]

/** Where in a catalogue file: 1-based line, and the key, such as `entries.0.tool`; empty for the file as a whole. */
export interface CataloguePlace {
  line: number
  key: string
}

/** What is wrong with a catalogue file. Never worth a retry: the file stays what it is. */
export class CatalogueError extends Error {
  override readonly name = 'CatalogueError'
  readonly retry = false
  readonly code: CatalogueErrorCode
  readonly line: number
  readonly key: string
  readonly remedy: string

  constructor(code: CatalogueErrorCode, place: CataloguePlace, problem: { message: string; remedy: string }) {
    const where = place.key === '' ? `line ${place.line}` : `line ${place.line}, ${place.key}`
    super(`${where}: ${problem.message}. ${problem.remedy}`)
    this.code = code
    this.line = place.line
    this.key = place.key
    this.remedy = problem.remedy
  }
}
