import { fitTo, toPrintable, widthOf } from '@affidavit/sensor/cli/printable'
import type { Style, Terminal } from '@affidavit/sensor/cli/terminal'

export interface Column<Row> {
  title: string
  cell(row: Row): string
  style?(row: Row): Style | undefined
  align?: 'right'
  /** Columns it may be cut to on a narrow terminal; without it the column keeps its width. */
  widthMin?: number
  /** Leaves first where even the narrowest table does not fit: highest number first. Without it the column stays. */
  leaves?: number
}

const gap = 2

export interface Table {
  text: string
  /** Titles of the columns that did not fit. */
  hidden: string[]
}

/** Aligned columns with a title line. Cut to the terminal's width where there is one, complete everywhere else. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], terminal: Terminal): Table {
  const all = columns.map((column) => ({ column, cells: rows.map((row) => toPrintable(column.cell(row))), width: 0 }))
  for (const each of all) each.width = Math.max(widthOf(each.column.title), ...each.cells.map(widthOf))
  const shown = dropColumns(all, terminal.columns)
  shrinkColumns(shown, terminal.columns)
  const title = shown.map(({ column, width }) => pad(fitTo(column.title, width), width, column.align))
  const lines = rows.map((row, i) => shown.map((each) => formatCell(each, row, i, terminal)))
  return {
    text: [title.map((cell) => terminal.paint('bold', cell)), ...lines].map((line) => `${joinCells(line)}\n`).join(''),
    hidden: all.filter((each) => !shown.includes(each)).map(({ column }) => column.title),
  }
}

/** A column whose width is settled before its rows are known. */
export interface FixedColumn<Row> extends Column<Row> {
  width: number
  /** Takes the room that a wide terminal has left, up to this width. */
  widthMax?: number
}

/** One line of a table that is written as its rows come in: cut to the terminal where there is one, complete elsewhere. */
export function formatRow<Row>(columns: readonly FixedColumn<Row>[], row: Row, terminal: Terminal): string {
  const room = Math.max(0, (terminal.columns ?? 0) - total(columns.map(({ width }) => width)))
  const all = columns.map((column) => {
    const cell = toPrintable(column.cell(row))
    const width = Math.max(column.width, Math.min(column.width + room, column.widthMax ?? 0))
    return { column, cells: [cell], width: terminal.columns === undefined ? Math.max(width, widthOf(cell)) : width }
  })
  const shown = dropColumns(all, terminal.columns)
  shrinkColumns(shown, terminal.columns)
  return joinCells(shown.map((each) => formatCell(each, row, 0, terminal)))
}

interface Measured<Row> {
  column: Column<Row>
  cells: string[]
  width: number
}

function formatCell<Row>(measured: Measured<Row>, row: Row, i: number, terminal: Terminal): string {
  const { column, cells, width } = measured
  const text = pad(fitTo(cells[i] ?? '', width), width, column.align)
  const style = column.style?.(row)
  return style === undefined ? text : terminal.paint(style, text)
}

function joinCells(cells: string[]): string {
  return cells.join(' '.repeat(gap)).trimEnd()
}

function pad(text: string, width: number, align: 'right' | undefined): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'right' ? space + text : text + space
}

function narrowest<Row>({ column, width }: Measured<Row>): number {
  return Math.min(width, column.widthMin ?? width)
}

function total(widths: number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + gap * Math.max(0, widths.length - 1)
}

function dropColumns<Row>(all: Measured<Row>[], columns: number | undefined): Measured<Row>[] {
  if (columns === undefined) return all
  let shown = all
  while (total(shown.map(narrowest)) > columns) {
    const next = shown.reduce((worst, each) => Math.max(worst, each.column.leaves ?? 0), 0)
    if (next === 0) break
    shown = shown.filter(({ column }) => column.leaves !== next)
  }
  return shown
}

/** Takes from the widest column that may shrink, one column of text at a time, so that short ones stay readable. */
function shrinkColumns<Row>(shown: Measured<Row>[], columns: number | undefined): void {
  if (columns === undefined) return
  let excess = total(shown.map(({ width }) => width)) - columns
  while (excess > 0) {
    const widest = shown
      .filter((each) => each.width > narrowest(each))
      .reduce<Measured<Row> | undefined>(
        (best, each) => (best === undefined || each.width > best.width ? each : best),
        undefined,
      )
    if (widest === undefined) return
    widest.width -= 1
    excess -= 1
  }
}
