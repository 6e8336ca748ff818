export const requirements = [
  { id: 'VF-1', text: 'Which values are marked is defined: addresses, identifiers, long numbers and words that resist guessing, in one spelling wherever they stand; short and regular ones are not.', source: 'DESIGN §3' },
  { id: 'VF-2', text: 'Of passages so many are marked that two texts which share thirteen words in a row share one.', source: 'issue: digests of salient values' },
  { id: 'VF-3', text: 'Hostile texts cost linear time and bounded memory; how bytes are cut changes nothing.', source: 'DESIGN §2 inv. 7' },
  { id: 'VF-4', text: 'A value read from sensitive data that reappears in an argument of a later call to another server is shown at both ends, across streams and servers, with the source and the argument.', source: 'issue: digests of salient values' },
  { id: 'VF-5', text: 'A value that the reading call was itself handed, and values of data below the level, are no flow.', source: 'issue: digests of salient values' },
  { id: 'VF-6', text: 'No value is kept, in any file or opened section, at level metadata either.', source: 'DESIGN §2 inv. 3' },
  { id: 'VF-7', text: 'The index derives them; verify holds it to the log.', source: 'DESIGN §2 inv. 8' },
  { id: 'VF-8', text: 'The level from which values are followed is configured, or none.', source: 'issue: digests of salient values' },
] as const // biome-ignore format: one row, one line
