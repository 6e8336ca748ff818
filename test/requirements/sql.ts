export const requirements = [
  { id: 'SQ-1', text: 'Tables are right on at least 98 % of the corpus, which was written down before the extractor; verb, effect and bound likewise.', source: 'issue: what was accessed, SQL figure' },
  { id: 'SQ-2', text: 'The corpus holds at least 300 statements, half of them or more after the dialects’ documentation.', source: 'issue: what was accessed, SQL figure' },
  { id: 'SQ-3', text: 'What cannot be read is said to be unparsable, with a reason; of its verb `read` is never concluded.', source: 'issue: unparsable said to be so' },
  { id: 'SQ-4', text: 'No value of a literal stands in a reading.', source: 'DESIGN §2 inv. 3' },
  { id: 'SQ-5', text: 'Hostile text neither throws nor takes more than bounded time; the limit it met is named.', source: 'DESIGN §2 inv. 7' },
  { id: 'SQ-6', text: 'A parser that is not installed is an error with a stable code that names the package; only the parsers of the dialects asked for are loaded.', source: 'DESIGN §6 plug-ins' },
  { id: 'SQ-7', text: 'What a database would run is not hidden by comments, by a missing semicolon or by a routine.', source: 'issue: what was accessed' },
  { id: 'SQ-8', text: 'Lists of names are bounded and say what they leave off; so is the number of statements.', source: 'DESIGN §2 inv. 7' },
  { id: 'SQ-9', text: 'The example in the documentation holds.', source: 'DESIGN §9' },
] as const // biome-ignore format: a table
