/** Everything has a limit (DESIGN §2, invariant 7); what lies beyond is said to be unparsable under the limit's name. */

/** UTF-16 units of one statement, and its lexemes: the caller's event loop waits while they are parsed. */
export const statementCharsMax = 65_536
export const lexemesMax = 10_000
/** UTF-16 units of a text that is split into statements; of a longer one only the head is looked at, for its verb. */
export const textCharsMax = 262_144
export const headCharsMax = 4_096
/** Parentheses in each other. Both parsers recurse: PostgreSQL's gives up at about 1,000, Polyglot's at 512 nodes. */
export const depthMax = 200
/** Operators in a row, without a comma or a keyword between them: such a chain is as deep a tree as it is long. */
export const chainMax = 400
/** Set operations, joins, CASE and NOT of one statement, which nest the same way. */
export const nestingWordsMax = 800
export const statementsMax = 100
/** Per list and statement. */
export const namesMax = 500
/** UTF-16 units of one identifier. */
export const nameCharsMax = 256
