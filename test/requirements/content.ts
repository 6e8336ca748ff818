export const requirements = [
  { id: 'CD-1', text: 'Detectors tell by its looks whether a result holds credentials, financial, customer or health data, source code, or instructions for a model; documents about these are not taken for them.', source: 'DESIGN §3 field 10' },
  { id: 'CD-2', text: 'What is seen does not depend on how the bytes were cut.', source: 'DESIGN §5' },
  { id: 'CD-3', text: 'Long results are sampled in memory that does not grow with them, and how much was looked at is said; no text takes more than linear time.', source: 'DESIGN §2 inv. 7' },
  { id: 'CD-4', text: 'Rows are counted: the elements of the longest list in structured content, or in a text that is JSON.', source: 'DESIGN §3 field 10' },
  { id: 'CD-5', text: 'What was seen is a tag of the call marked as seen, on whatever transport, and nothing of the content is kept; it leaves the level of the classification as it is.', source: 'DESIGN §2 inv. 3' },
] as const // biome-ignore format: one row, one line
