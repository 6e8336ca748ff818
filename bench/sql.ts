/**
 * What is read rightly of the corpus under test/classify/sql/corpus, per dialect, and the time that a text takes.
 * `--errors` prints what was read wrongly; `--only DIALECT` looks at one.
 */
import { loadSqlExtractor } from '../packages/sensor/src/classify/sql/load.ts'
import { sqlDialects } from '../packages/sensor/src/classify/sql/reading.ts'
import { type Example, readCorpus } from '../test/classify/sql/corpus.ts'
import { type Aspect, aspects, judge } from '../test/classify/sql/score.ts'
import { machine, percentile } from './measure.ts'

const isVerbose = process.argv.includes('--errors')
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined
const corpus = readCorpus().filter((example) => only === undefined || example.dialect === only)

const start = performance.now()
const extract = await loadSqlExtractor(sqlDialects.filter((dialect) => only === undefined || dialect === only))
const loadMs = performance.now() - start

type Counts = Record<Aspect, { right: number; all: number }>
const zero = (): Counts => {
  const count = () => ({ right: 0, all: 0 })
  return {
    tables: count(),
    columns: count(),
    verb: count(),
    effect: count(),
    bound: count(),
    functions: count(),
    unseen: count(),
  }
}

function score(examples: readonly Example[]): Counts {
  const counts = zero()
  for (const example of examples)
    for (const { verdicts, got, wanted } of judge(example, extract(example.text, example.dialect))) {
      const wrong = aspects.filter((aspect) => verdicts[aspect] === false)
      for (const aspect of aspects) {
        if (verdicts[aspect] !== undefined) counts[aspect].all++
        if (verdicts[aspect] === true) counts[aspect].right++
      }
      if (isVerbose && wrong.length > 0)
        console.log(
          `${example.dialect} ${example.page} [${wrong}]\n${example.text}\n  wanted ${JSON.stringify(wanted)}\n  got    ${JSON.stringify(got)}\n`,
        )
    }
  return counts
}

/** Microseconds per statement: the median over rounds that each read the whole corpus of the dialect. */
function measure(examples: readonly Example[]): number {
  const statements = examples.reduce((sum, example) => sum + example.expected.length, 0)
  const rounds = Array.from({ length: 15 }, () => {
    const begun = performance.now()
    for (const example of examples) extract(example.text, example.dialect)
    return ((performance.now() - begun) * 1000) / statements
  })
  return percentile(rounds.slice(5), 0.5)
}

console.log(machine())
console.log(`parsers loaded in ${loadMs.toFixed(0)} ms, resident ${Math.round(process.memoryUsage.rss() / 1e6)} MB`)
console.log(['dialect'.padEnd(12), ...aspects.map((aspect) => aspect.padStart(9)), 'µs/stmt'.padStart(9)].join(''))
const total = zero()
for (const dialect of sqlDialects) {
  const examples = corpus.filter((example) => example.dialect === dialect)
  if (examples.length === 0) continue
  const counts = score(examples)
  for (const aspect of aspects) {
    total[aspect].right += counts[aspect].right
    total[aspect].all += counts[aspect].all
  }
  line(dialect, counts, measure(examples).toFixed(0))
}
line('all', total, '')
console.log(
  `tables right: ${((100 * total.tables.right) / total.tables.all).toFixed(1)} % of ${total.tables.all} statements`,
)

function line(title: string, counts: Counts, time: string): void {
  const cells = aspects.map((aspect) => `${counts[aspect].right}/${counts[aspect].all}`.padStart(9))
  console.log([title.padEnd(12), ...cells, time.padStart(9)].join(''))
}
