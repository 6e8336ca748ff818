const jsonEscape = /\\(?:u([0-9a-fA-F]{4})|([nrtbf"\\/]))/g
const escapes: Record<string, string> = { n: '\n', r: '\n', t: '\t', b: ' ', f: ' ' }

/** JSON's escapes, where there are any: a line end in a string is one for whoever reads it. */
export function undoEscapes(text: string): string {
  if (!text.includes('\\')) return text
  return text.replaceAll(jsonEscape, (_, code: string | undefined, sign: string | undefined) =>
    code === undefined ? (escapes[sign ?? ''] ?? sign ?? '') : String.fromCharCode(Number.parseInt(code, 16)),
  )
}
