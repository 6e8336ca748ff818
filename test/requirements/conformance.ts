export const requirements = [
  { id: 'CF-1', text: 'The official conformance suite runs against servers on the official SDKs for revisions 2025-11-25 and 2026-07-28, and directly they pass all of it but what is named.', source: 'MCP conformance suite' },
  { id: 'CF-2', text: 'Through the gateway every (scenario, check, status) is the one that it is directly, for both revisions, with answers as JSON and as streams.', source: 'DESIGN §2 inv. 4' },
  { id: 'CF-3', text: 'Equality is claimed only where something was checked, nothing crashed, nothing differs and nothing wavers; whatever does is named.', source: 'DESIGN §2 inv. 6' },
] as const // biome-ignore format: one row, one line
