export const requirements = [
  { id: 'L-1', text: 'Leaves, nodes, the empty tree and roots are hashed as the RFC says.', source: 'RFC 9162 §2.1.1' },
  { id: 'L-2', text: 'A tree grows from its compact range, whatever the steps.', source: 'DESIGN §4' },
  {
    id: 'L-3',
    text: 'Hashes are exactly 32 bytes; tiles and ranges of another shape are refused.',
    source: 'DESIGN §4',
  },
  { id: 'L-4', text: 'A whole log is byte-identical to what Tessera writes.', source: 'C2SP tlog-tiles' },
  { id: 'L-5', text: 'Tile paths have one spelling.', source: 'C2SP tlog-tiles' },
  {
    id: 'L-6',
    text: 'A growth names every tile and bundle to write, partial ones included.',
    source: 'C2SP tlog-tiles',
  },
  { id: 'L-7', text: 'Entry bundles hold exactly the entries the tree size demands.', source: 'C2SP tlog-tiles' },
  {
    id: 'L-8',
    text: 'Proofs are built from a handful of tiles and equal the RFC definition.',
    source: 'RFC 9162 §2.1.3.1',
  },
  {
    id: 'L-9',
    text: 'Proof verification accepts what is right and refuses everything else, size 0 included.',
    source: 'RFC 9162 §2.1.3.2, §2.1.4.2',
  },
  { id: 'L-10', text: 'Sizes and indexes up to 2^64 − 1 are exact.', source: 'DESIGN §4' },
  { id: 'L-11', text: 'Base64 has one spelling per value.', source: 'RFC 4648 §3.5' },
  { id: 'L-12', text: 'Notes are signed, parsed and verified as golang.org/x/mod does.', source: 'C2SP signed-note' },
  {
    id: 'L-13',
    text: 'Keys are bound to name and type by their id; private ones never leak.',
    source: 'C2SP signed-note',
  },
  {
    id: 'L-14',
    text: 'Checkpoints: strict decimal size, 32-byte root, our own without extension lines.',
    source: 'C2SP tlog-checkpoint',
  },
  { id: 'L-15', text: 'Origins compare literally; a key rotates while the origin stays.', source: 'DESIGN §4' },
  {
    id: 'L-16',
    text: 'Cosignatures are verified with their time; unknown ones are skipped.',
    source: 'C2SP tlog-cosignature',
  },
  { id: 'L-17', text: 'Witness messages are encoded and parsed strictly.', source: 'C2SP tlog-witness' },
  { id: 'L-18', text: 'Proof files verify one entry offline.', source: 'C2SP tlog-proof' },
  {
    id: 'L-19',
    text: 'Sigstore’s Merkle and checkpoint code accepts our proofs and rejects altered ones.',
    source: 'DESIGN §4',
  },
  {
    id: 'L-20',
    text: 'A short script without dependencies recomputes the root from the log directory.',
    source: 'DESIGN §4',
  },
] as const
