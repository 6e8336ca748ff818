import { toPrintable } from '@affidavit/sensor/cli/printable'
import type { Style, Terminal } from '@affidavit/sensor/cli/terminal'
import { hang } from '@affidavit/sensor/cli/text-layout'
import type { TraceStep } from './trace-step.ts'

/** Where there is no terminal: pages of evidence are this wide. */
const columnsDefault = 100
const columnsMax = 100
const labelWidth = 14
/** Deeper steps are not indented further: there would be no room for their text. */
const depthMax = 12

const styles: Record<'verified' | 'attested' | 'claimed', Style> = {
  verified: 'green',
  attested: 'cyan',
  claimed: 'yellow',
}

/** The tree, each step below the one it follows. */
export function* stepLines(steps: readonly TraceStep[], terminal: Terminal, depth = 0): Generator<string> {
  const columns = Math.min(columnsMax, terminal.columns ?? columnsDefault)
  const indent = '  '.repeat(Math.min(depth, depthMax))
  for (const step of steps) {
    if (step.type === 'break') yield* breakLines(step.name, { indent, columns }, terminal)
    else yield* oneStep(step, { indent, columns }, terminal)
    // A break stands in the path: what comes after it is not below it.
    yield* stepLines(step.next, terminal, step.type === 'break' ? depth : depth + 1)
  }
}

interface Place {
  indent: string
  columns: number
}

function* oneStep({ type, name, link, facts }: TraceStep, { indent, columns }: Place, terminal: Terminal) {
  const [first = '', ...more] = hang(`${indent}└ ${type.padEnd(labelWidth - 2)}`, toPrintable(name), columns)
  yield terminal.paint('bold', first)
  for (const line of more) yield terminal.paint('bold', line)
  if (link !== undefined) {
    const lead = `${indent}  ${link.assurance.padEnd(labelWidth - 2)}`
    for (const line of hang(lead, `by ${toPrintable(link.text)}`, columns))
      yield line.replace(link.assurance, terminal.paint(styles[link.assurance], link.assurance))
  }
  for (const { name: label, text } of facts)
    for (const line of hang(`${indent}  ${label.padEnd(labelWidth - 2)}`, toPrintable(text), columns))
      yield terminal.paint('dim', line)
}

function* breakLines(why: string, { indent, columns }: Place, terminal: Terminal) {
  for (const line of hang(`${indent}✗ ${'BREAK'.padEnd(labelWidth - 2)}`, toPrintable(why), columns))
    yield terminal.paint('red', line)
}
