export const requirements = [
  { id: 'PR-1', text: 'Priority is a pure function of what is recorded, with its reasons; what is more sensitive, graver or less certain is never of a lower one.', source: 'issue: what was accessed, priority' },
  { id: 'PR-2', text: 'It is in no record; the index derives it from log and bodies, and `verify` holds the index to it.', source: 'DESIGN §2 inv. 8' },
  { id: 'PR-3', text: 'query, tail and show have it; --priority finds calls of at least one; --by priority lists the gravest first and counts those of low priority per tool and hour, so that every call is in one of both.', source: 'issue: what was accessed, priority' },
  { id: 'PR-4', text: 'A level of another scheme counts by its place in it.', source: 'DESIGN §3' },
  { id: 'PR-5', text: 'status and tools count the tools that were called without a level or an effect.', source: 'issue: what was accessed, unclassified' },
] as const // biome-ignore format: one row, one line
