import { RE2JS } from 're2js'
import { wordsOf } from './key-names.ts'
import { PatternsError } from './patterns-error.ts'
import { type PatternsFile, parsePatterns } from './patterns-schema.ts'
import type { CompiledPatterns } from './redactor.ts'
import type { UserRule } from './user-rule.ts'

type RuleSource = PatternsFile['rules'][number]

/**
 * Compiles a user's patterns (docs/REDACTION.md) on RE2's algorithm: whatever they are, matching stays linear. Examples in
 * the file are tried. Throws PatternsError, which names line, key and remedy. Load this module only when configured: it
 * brings yaml, zod and re2js.
 */
export function loadPatterns(yamlText: string): CompiledPatterns {
  const { file, lineOf } = parsePatterns(yamlText)
  const seen = new Set<string>()
  const rules = file.rules.map((source, index) => {
    const place = (key: string) => ({ line: lineOf(['rules', index, key]), key: `rules.${index}.${key}` })
    if (seen.has(source.id))
      throw new PatternsError('AFD_PATTERNS_INVALID', place('id'), {
        message: `the id ${source.id} is taken`,
        remedy: 'Give every rule an id of its own',
      })
    seen.add(source.id)
    const rule = compileRule(source, place('pattern'))
    tryExamples(rule, source, place('examples'))
    return rule
  })
  return { classes: file.classes, disabledRules: new Set(file.disable), rules }
}

type At = { line: number; key: string }

function compileRule(source: RuleSource, at: At): UserRule {
  const keys = new Set(source.keys?.map(normalised))
  const paths = (source.paths ?? []).map((path) => path.slice(1).split('/').map(unescapePointer))
  return {
    id: source.id,
    class: source.class,
    find: source.pattern === undefined ? () => [] : finderOf(source.pattern, at),
    isKey: (name) => keys.size > 0 && keys.has(normalised(name)),
    isPath: (path) => paths.some((pattern) => matchesPath(pattern, path)),
    hasPaths: paths.length > 0,
  }
}

function finderOf(pattern: string, at: At): UserRule['find'] {
  const compiled = compilePattern(pattern, at)
  const hasGroup = compiled.groupCount() > 0
  if (compiled.matcher('').find())
    throw new PatternsError('AFD_PATTERNS_REGEX', at, {
      message: 'the pattern matches the empty string',
      remedy: 'Make it match at least one character',
    })
  return (text) => {
    const found: { start: number; end: number }[] = []
    const matcher = compiled.matcher(text)
    while (matcher.find()) {
      const group = hasGroup && matcher.start(1) >= 0 ? 1 : 0
      if (matcher.end(group) > matcher.start(group))
        found.push({ start: matcher.start(group), end: matcher.end(group) })
    }
    return found
  }
}

function compilePattern(pattern: string, at: At): RE2JS {
  try {
    return RE2JS.compile(pattern)
  } catch (problem) {
    const message = problem instanceof Error ? problem.message : String(problem)
    throw new PatternsError('AFD_PATTERNS_REGEX', at, {
      message,
      remedy: 'Use RE2 syntax: no lookaround and no backreferences (https://github.com/google/re2/wiki/Syntax)',
    })
  }
}

function tryExamples(rule: UserRule, source: RuleSource, at: At): void {
  if (source.pattern === undefined) return
  const missed = source.examples?.match.find((example) => rule.find(example).length === 0)
  const caught = source.examples?.noMatch.find((example) => rule.find(example).length > 0)
  if (missed !== undefined)
    throw new PatternsError('AFD_PATTERNS_EXAMPLE', at, {
      message: `the pattern does not match the example ${JSON.stringify(missed)}`,
      remedy: 'Correct the pattern or the example',
    })
  if (caught !== undefined)
    throw new PatternsError('AFD_PATTERNS_EXAMPLE', at, {
      message: `the pattern matches ${JSON.stringify(caught)}, which it must not`,
      remedy: 'Narrow the pattern or correct the example',
    })
}

function normalised(name: string): string {
  return wordsOf(name).join('_')
}

function unescapePointer(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** `*` stands for one segment, `**` for any number of them. */
function matchesPath(pattern: readonly string[], path: readonly string[]): boolean {
  let reachable = new Set([0])
  for (const segment of path) {
    const next = new Set<number>()
    for (const at of skipStars(pattern, reachable)) {
      if (pattern[at] === '**') next.add(at)
      else if (pattern[at] === '*' || pattern[at] === segment) next.add(at + 1)
    }
    reachable = next
    if (reachable.size === 0) return false
  }
  return skipStars(pattern, reachable).has(pattern.length)
}

function skipStars(pattern: readonly string[], places: ReadonlySet<number>): Set<number> {
  const all = new Set(places)
  for (const at of all) if (pattern[at] === '**') all.add(at + 1)
  return all
}
