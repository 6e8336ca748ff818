export const requirements = [
  { id: 'MW-7', text: 'What only the server knows of a call (tables, rows, data types, whose data, classification) is recorded with its outcome, also where the call is not answered; where there is no room, how much there was.', source: 'DESIGN §3 field 10' },
] as const // biome-ignore format: one row, one line
