export const requirements = [
  {
    id: 'PO-1',
    text: 'Cedar decides in process: what no policy permits is denied, and every policy that applies is named with its verdict.',
    source: 'DESIGN §3, field 11',
  },
  {
    id: 'PO-2',
    text: 'The record holds each condition that was evaluated with the values it saw, redacted; none of the client at level metadata.',
    source: 'DESIGN §3',
  },
  {
    id: 'PO-3',
    text: 'What is claimed makes nobody a member: only verified and attested actors are ancestors of the principal.',
    source: 'DESIGN §2 inv. 6',
  },
  {
    id: 'PO-4',
    text: 'A policy that cannot be evaluated denies unless configured otherwise, and is recorded.',
    source: 'DESIGN §2 inv. 7',
  },
  {
    id: 'PO-5',
    text: 'Arguments that parsers read differently, or that the engine cannot take, are errors; nothing of them becomes an entity.',
    source: 'DESIGN §5',
  },
  {
    id: 'PO-6',
    text: 'A set that is no good is told with its place, before a server is started and by --check, and never replaces a good one.',
    source: 'DESIGN §2 inv. 7',
  },
  {
    id: 'PO-7',
    text: 'A decision by 50 policies over 2 KB of arguments stays under 2 ms at the median however busy the machine; the test prints it (aim: 0.4 ms).',
    source: 'DESIGN §7',
  },
  {
    id: 'PO-8',
    text: 'A denied call never reaches the server, on stdio and HTTP, in both eras; a batch is refused as a whole.',
    source: 'DESIGN §5',
  },
  {
    id: 'PO-9',
    text: 'Under enforcement, what parsers read differently is refused and recorded as violation.',
    source: 'DESIGN §5',
  },
  {
    id: 'PO-10',
    text: 'Handshakes and lists are not put to policies, and their records say so.',
    source: 'docs/POLICY.md',
  },
  { id: 'PO-11', text: 'Under observation, what is denied is recorded as denied and goes on.', source: 'DESIGN §5' },
  { id: 'PO-12', text: 'Policies see the calls and denials of the session so far.', source: 'docs/POLICY.md' },
  {
    id: 'PO-13',
    text: 'A changed set is taken over while calls go on; each set that comes into force is a change record with both hashes.',
    source: 'DESIGN §3',
  },
  { id: 'PO-14', text: 'A remote decision point is asked by AuthZEN 1.0 and obeyed.', source: 'OpenID AuthZEN 1.0' },
  {
    id: 'PO-15',
    text: 'Where it gives no decision, onError decides, and the record says why.',
    source: 'DESIGN §2 inv. 7',
  },
  {
    id: 'PO-16',
    text: 'A control feed is taken over only signed by the configured key, and never with an older version.',
    source: 'DESIGN §2',
  },
  {
    id: 'PO-17',
    text: 'Evaluating clauses one by one comes to what Cedar comes to over the whole set.',
    source: 'ADR 0019',
  },
  {
    id: 'PO-18',
    text: 'policy test compares decisions with expectations, and shows what conditions saw where they differ.',
    source: 'docs/POLICY.md',
  },
  { id: 'PO-19', text: 'The starter set decides as its expectations say.', source: 'docs/POLICY.md' },
  { id: 'PO-20', text: 'An engine that is not installed is named, with how to install it.', source: 'DESIGN §6' },
  {
    id: 'PO-21',
    text: 'Policies see what the configured source said last of the machine, with its age and whether it is stale; nothing where there is none.',
    source: 'docs/POLICY.md',
  },
  {
    id: 'PO-22',
    text: 'Policies see the risk that the signed control feed tells of those involved in a call, until it ends.',
    source: 'DESIGN §2',
  },
  {
    id: 'PO-23',
    text: 'policy replay shows how recorded calls would be decided by other policies: which would come out otherwise, and totals.',
    source: 'docs/POLICY.md',
  },
  {
    id: 'PO-24',
    text: 'What a policy looks at and the log does not have as it was makes a replayed call undecidable, never decided.',
    source: 'docs/POLICY.md',
  },
] as const
