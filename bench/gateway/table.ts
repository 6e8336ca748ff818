/** Prints rows under their heads, words to the left and figures to the right. */
export function printTable(heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const isFigure = (i: number) => i > 0
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (isFigure(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  ')
  for (const row of [heads, ...rows]) console.log(`  ${line(row).trimEnd()}`)
}

export const fixed = (value: number, digits = 2) => (Number.isFinite(value) ? value.toFixed(digits) : '–')
export const whole = (value: number) => (Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–')
export const share = (value: number) => (Number.isFinite(value) ? `${(value * 100).toFixed(0)} %` : '–')
