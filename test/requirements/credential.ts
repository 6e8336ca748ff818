/** One credential through its life. docs/IDENTITY.md has the rules. */
export const requirements = [
  { id: 'CR-1', text: 'A credential has one random reference, from its first judgement over its exchange and its calls to its refusal.', source: 'DESIGN §3 envelope' },
  { id: 'CR-2', text: 'A credential is found by its reference, the SHA-256 of the token, a call and an entry; what does not add up is said.', source: 'DESIGN §1' },
  { id: 'CR-3', text: 'A credential keeps its reference when the correlation key of the epoch changes, wherever its fingerprint is recorded.', source: 'DESIGN §3 envelope' },
] as const // biome-ignore format: one row, one line
