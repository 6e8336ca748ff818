import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Classifier } from '@affidavit/sensor/classify/classifier'
import { loadCatalogue } from '@affidavit/sensor/classify/load-catalogue'
import { readToolCalls } from '../query/sqlite/classified.ts'
import { countUnlistedCalls, listTools } from '../query/sqlite/tools.ts'
import { waitUntilSequenced } from './catch-up.ts'
import type { Command } from './command.ts'
import { exitCodes, unreadable, usageError } from './failure.ts'
import { formatCount, formatNumberOf } from './format.ts'
import { openSource } from './index-source.ts'
import { observeTool } from './observe-tool.ts'
import { homeFolder, openExistingHome } from './open-home.ts'
import { openIndex } from './open-index.ts'
import { type Arguments, type CommandSpec, homeOption, jsonOption } from './options.ts'
import { suggestEntry } from './suggest-entry.ts'
import { type CountedSuggestion, formatSuggestions } from './suggest-yaml.ts'

const spec: CommandSpec = {
  name: 'catalog',
  summary: 'Proposes catalogue entries for tools that nothing classifies.',
  positionals: ['suggest'],
  options: {
    server: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      text: 'of this server, as configured; * stands for any text',
    },
    catalogue: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      text: 'a file that is in use already, besides the starter catalogue: what both classify is left out',
    },
    ...jsonOption,
    ...homeOption,
  },
  examples: [
    { command: 'affidavit catalog suggest > catalogue.yaml', text: 'Begin a catalogue' },
    { command: 'affidavit catalog suggest --catalogue catalogue.yaml', text: 'What is missing in the one there is' },
  ],
  notes: [
    'A tool counts as classified where the catalogue gives calls of it a level and an effect, whatever their arguments.',
    'Proposals come from names, definitions and the calls that were recorded. They are guesses: docs/CATALOGUE.md.',
  ],
}

/** `affidavit catalog suggest`: YAML on stdout, the counts on stderr. */
export const catalog: Command = {
  spec,
  run: async (args, context) => {
    if (args.positionals[0] !== 'suggest')
      throw usageError(spec.name, `catalog has no command '${args.positionals[0]}'`)
    const classifier = await openClassifier(args.list('catalogue'))
    const home = await openExistingHome(homeFolder(args, context.env))
    await waitUntilSequenced(home, context)
    const source = await openSource(home)
    try {
      const db = await openIndex(home, source, context)
      const filter = { server: args.list('server'), tool: [] }
      const tools = listTools(db, filter)
      const suggestions: CountedSuggestion[] = []
      let unclassifiedCalls = 0
      for (const tool of tools) {
        const calls = readToolCalls(db, tool.server, tool.name)
        unclassifiedCalls += calls.unclassified
        if (isClassified(classifier, tool)) continue
        suggestions.push({ ...suggestEntry(await observeTool(db, source, tool, calls.leaves)), calls: calls.calls })
      }
      const unlistedCalls = countUnlistedCalls(db, filter)
      db.close()
      const counts = { tools: tools.length, unclassifiedCalls, unlistedCalls }
      await context.stdout.write(toText(suggestions, args))
      await context.stderr.write(`${sayCounts(suggestions, counts)}\n`)
      return exitCodes.done
    } finally {
      source.close()
    }
  },
}

/** A mistake in a file comes with its own code, line and remedy. */
async function openClassifier(files: readonly string[]): Promise<Classifier> {
  const absolute = files.map((path) => resolve(path))
  // No arguments are looked at here, and so no statements either.
  const source = { read: readCatalogueFile, reportMissing: () => undefined }
  return new Classifier(await loadCatalogue({ files: absolute, starter: 'first', servers: [] }, source))
}

function readCatalogueFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw unreadable(path, error, 'Check --catalogue.')
  }
}

function isClassified(classifier: Classifier, { server, name }: { server: string; name: string }): boolean {
  const found = classifier.classify({ server, tool: name, resource: undefined }, () => Buffer.from('{}'))
  return found?.level !== undefined && found.effect !== undefined
}

function toText(suggestions: readonly CountedSuggestion[], args: Arguments): string {
  if (!args.flag('json')) return formatSuggestions(suggestions)
  return suggestions
    .map((each) => `${JSON.stringify({ id: JSON.stringify([each.server, each.tool]), ...each })}\n`)
    .join('')
}

function sayCounts(
  suggestions: readonly CountedSuggestion[],
  { tools, unclassifiedCalls, unlistedCalls }: { tools: number; unclassifiedCalls: number; unlistedCalls: number },
): string {
  const parts = [
    `${formatCount(suggestions.length)} of ${formatNumberOf(tools, 'tool', 'tools')} not classified`,
    `${formatNumberOf(unclassifiedCalls, 'call was', 'calls were')} recorded without a level or an effect`,
  ]
  if (unlistedCalls > 0) parts.push(`${formatNumberOf(unlistedCalls, 'call', 'calls')} to tools that no server listed`)
  return parts.join('; ')
}
