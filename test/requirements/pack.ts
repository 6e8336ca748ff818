export const requirements = [
  {
    id: 'PACK-1',
    text: '@affidavit/evidence, as published, loads on the machine’s own Node and on Node 24.',
    source: 'DESIGN §6',
  },
  { id: 'PACK-2', text: '@affidavit/sensor, as published, captures on Node 20 and 24.', source: 'DESIGN §6' },
  { id: 'PACK-3', text: 'affidavit runs on Node 24 and refuses an older one in one line.', source: 'DESIGN §6' },
  {
    id: 'PACK-5',
    text: 'The middleware, as published, records on Node 20 and 24 with no SDK beside it: SDKs are optional peers and never loaded.',
    source: 'DESIGN §6',
  },
  {
    id: 'PACK-6',
    text: 'The gateway, as published in the sensor, relays and records on Node 20 and 24.',
    source: 'DESIGN §6',
  },
  { id: 'PACK-4', text: '@affidavit/sensor installs at most 20 packages and 15 MB.', source: 'DESIGN §6' },
] as const
