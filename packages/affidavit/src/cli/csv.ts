/**
 * One line of RFC 4180 with CRLF. Cells that a spreadsheet would run as a formula start with an apostrophe (names and
 * inputs are chosen by strangers); numbers are left alone.
 */
export function formatCsvLine(cells: readonly (string | number | undefined)[]): string {
  return `${cells.map(formatCell).join(',')}\r\n`
}

function formatCell(cell: string | number | undefined): string {
  if (cell === undefined) return ''
  if (typeof cell === 'number') return String(cell)
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
