import type { Catalogue } from './catalogue.ts'
import { CatalogueError } from './catalogue-error.ts'
import type { ExampleSource, ParsedCatalogue } from './catalogue-schema.ts'
import { Classifier } from './classifier.ts'

/**
 * Throws CatalogueError at the first example that comes out otherwise. What an example does not expect may be anything; one
 * whose SQL nobody here can read is not tried.
 */
export function tryExamples(catalogue: Catalogue, { file, placeOf }: Pick<ParsedCatalogue, 'file' | 'placeOf'>): void {
  const classifier = new Classifier(catalogue)
  for (const [index, { call, expect }] of file.examples.entries()) {
    const found = findIn(classifier, call)
    if (found.problems.includes('sql_plugin_missing')) continue
    for (const [key, expected] of Object.entries(expect)) {
      const actual = Object.entries(found).find(([name]) => name === key)?.[1]
      if (JSON.stringify(actual) !== JSON.stringify(expected))
        throw new CatalogueError('AFD_CATALOGUE_EXAMPLE', placeOf('examples', index, 'expect', key), {
          message: `the example comes out as ${JSON.stringify(actual ?? null)}`,
          remedy: 'Correct the entries or the example',
        })
    }
  }
}

function findIn(classifier: Classifier, { server, tool, resource, arguments: args }: ExampleSource['call']) {
  const json = Buffer.from(JSON.stringify(args ?? {}))
  const found = classifier.classify({ server, tool, resource }, () => json)
  return {
    entries: found?.basis.entries.map((source) => source.slice(source.lastIndexOf('#') + 1)) ?? [],
    level: found?.level,
    effect: found?.effect,
    dataTypes: found?.dataTypes ?? [],
    owner: found?.basis.owner?.name,
    problems: found?.basis.problems ?? [],
    resources: found?.resources.map(({ type, name }) => `${type} ${name}`) ?? [],
  }
}
