const keyword =
  /^(?:import|from|export|package|using|require|include|def|class|interface|struct|enum|impl|fn|func|function|public|private|protected|static|const|let|var|return|if|for|while|switch|try|catch|else|elif|async|await|namespace|template|throw|raise|yield)\b/
const sign = /^(?:#include|#define|#!\/|@@ |diff --git |\+\+\+ [ab/]|--- [ab/]|<\?php|\/\/|\/\*)/
/** Languages whose lines end in nothing. */
const bare = /^(?:import [\w.]+(?: as \w+)?|from [\w.]+ import .+|return [\w.]+(?:$|[ ([].*)|[\w.[\]]+ [-+*/]?= \S.*)$/
const operators = ['=>', '->', ':=', '==', '!=', '&&', '||', '+=', '::', '();', ' = ']
const endings = new Set('{};:(),[]')
const closers = /^[})\]]{1,4}[;,)]{0,2}$/
const lineCharsMax = 1_000
const linesMin = 5

/** Line by line, so that prose about code is not taken for code. */
function isCodeLine(line: string): boolean {
  if (line.length > lineCharsMax) return false
  if (sign.test(line) || closers.test(line) || bare.test(line)) return true
  const last = line.at(-1) ?? ''
  if (!endings.has(last)) return false
  if (last === ';' && /[\w)\]'"`]/.test(line.at(-2) ?? '')) return true
  return keyword.test(line) || operators.some((operator) => line.includes(operator))
}

/** How many of a text's lines look like a program's. */
export class CodeTally {
  #lines = 0
  #codeLines = 0

  take(text: string): void {
    for (const untrimmed of text.split('\n')) {
      const line = untrimmed.trim()
      if (line === '') continue
      this.#lines++
      if (isCodeLine(line)) this.#codeLines++
    }
  }

  /** A third of the lines, and no less than five of them. */
  get isCode(): boolean {
    return this.#codeLines >= linesMin && this.#codeLines * 3 >= this.#lines
  }
}
