export const requirements = [
  {
    id: 'T-1',
    text: 'A flipped bit in any file of evidence makes the verdict INVALID and is named.',
    source: 'tamper table',
  },
  {
    id: 'T-2',
    text: 'A flipped bit in a database is INVALID unless it hits slack that says nothing.',
    source: 'tamper table',
  },
  { id: 'T-3', text: 'Files that are no evidence do not change the verdict.', source: 'tamper table' },
  {
    id: 'T-4',
    text: 'An untouched home is SIGNED, CONTINUOUS with a kept checkpoint, and the verdict states what is open.',
    source: 'DESIGN §4',
  },
  { id: 'T-5', text: 'A deleted file is named, unless it can be derived again.', source: 'tamper table' },
  { id: 'T-6', text: 'What can be deleted unnoticed before it was collected is stated.', source: 'tamper table' },
  { id: 'T-7', text: 'Reordered, swapped, doubled, dropped and changed entries are named.', source: 'tamper table' },
  { id: 'T-8', text: 'Old checkpoints, cut logs and old signer states are rollbacks.', source: 'DESIGN §4' },
  { id: 'T-9', text: 'Missing, exchanged and re-wrapped bodies are named.', source: 'tamper table' },
  { id: 'T-10', text: 'Whatever the store says that the log does not is named.', source: 'DESIGN §2 inv. 8' },
  {
    id: 'T-11',
    text: 'An edited index is told apart from the log and healed by a rebuild.',
    source: 'DESIGN §2 inv. 8',
  },
  {
    id: 'T-12',
    text: 'What the holder of the keys can do is stated, and caught by a kept checkpoint.',
    source: 'DESIGN §4',
  },
  {
    id: 'T-13',
    text: 'Verification beside a sensor and a collector at work raises no false alarm.',
    source: 'DESIGN §4',
  },
] as const
