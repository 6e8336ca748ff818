/** Everything has a limit (DESIGN §2, invariant 7); what lies beyond is said to be unparsable under the limit's name. */

/** UTF-16 units of one statement: the parsers take about 2 µs per unit at worst, and the caller's event loop waits. */
export const statementCharsMax = 65_536
/** UTF-16 units of a text that is looked at at all. */
export const textCharsMax = 1_048_576
/** Parentheses in each other. Both parsers recurse; PostgreSQL's own gives up at about 1,000. */
export const depthMax = 200
/** Operators, set operations and subscripts per statement: a chain of them is as deep a tree as it is long. */
export const operatorsMax = 1_000
export const statementsMax = 100
/** Per list and statement. */
export const namesMax = 500
/** UTF-16 units of one identifier. */
export const nameCharsMax = 256
