export const requirements = [
  { id: 'CL-1', text: 'A catalogue maps servers, tools, resource URIs and arguments to data types, owner, sensitivity and effect; of two entries that say the same thing the later one wins, and the record names the entry that said it.', source: 'DESIGN §3 field 10' },
  { id: 'CL-2', text: 'An entry that holds for a part of what is asked for, or may hold for arguments that nobody could read, only ever makes the verdict graver; a key that stands twice, `..` in a path, and case and form of hosts hide nothing.', source: 'DESIGN §2 inv. 7' },
  { id: 'CL-3', text: 'The scheme of levels can be replaced; a level of a file that it does not have has to be mapped.', source: 'DESIGN §3' },
  { id: 'CL-4', text: 'Mistakes in a catalogue file are told with file, line, key and remedy, also by gateway --check; examples in it are tried; matching is linear whatever its patterns.', source: 'DESIGN §9.5, §2 inv. 7' },
  { id: 'CL-5', text: 'Extractors turn arguments into paths, URLs and hosts, recipients, buckets, Kubernetes objects and repositories; what they cannot read is said by code, credentials in URLs are no part of a name.', source: 'DESIGN §3 field 10' },
  { id: 'CL-6', text: 'Section resources holds the first 256 names, redacted and clipped, and counts the rest; a classifier that fails costs the classification and the values, never the record.', source: 'DESIGN §2 inv. 3, 7' },
  { id: 'CL-7', text: 'The fail mode follows the effect class of the catalogue: destructive and external-send are write. What a server claims in annotations is recorded as a claim and never loosens it.', source: 'DESIGN §2 inv. 2, 6' },
  { id: 'CL-8', text: 'Calls on data of the highest level are captured as metadata, requests and results, at whatever level everything else is; no argument value of any kind is on disk then.', source: 'DESIGN §3' },
  { id: 'CL-9', text: 'A gateway takes a changed catalogue over without a restart, and records the change; a bad one changes nothing.', source: 'DESIGN §3' },
  { id: 'CL-10', text: 'The starter catalogue loads, every entry of it is hit by an example, and the examples come out as they say; the example in the documentation does too.', source: 'DESIGN §6' },
  { id: 'CL-11', text: 'catalog suggest counts and shows the tools that nothing classifies, and proposes entries for them, from their definitions and the calls that were seen, that load as they stand.', source: 'DESIGN §1' },
  { id: 'CL-12', text: 'Without a catalogue nothing of it is loaded, and with one the entries of a tool are looked up once.', source: 'DESIGN §2' },
] as const // biome-ignore format: one row, one line
