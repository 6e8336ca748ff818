export const requirements = [
  {
    id: 'AP-1',
    text: 'A call against which nothing stands but policies that ask for an approval is refused with an id, under which somebody else can approve it.',
    source: 'docs/POLICY.md',
  },
  {
    id: 'AP-2',
    text: 'An approval lets through as many calls as it is for, by default one, also where processes share a home.',
    source: 'docs/POLICY.md',
  },
  {
    id: 'AP-3',
    text: 'An approval is bound to actor, server, tool, the exact bytes of the arguments and a time window.',
    source: 'docs/POLICY.md',
  },
  {
    id: 'AP-4',
    text: 'Whoever can write to the home folder can forge no approval: signatures are verified by the sensor, over what it sees itself.',
    source: 'ADR 0024',
  },
  { id: 'AP-5', text: 'Nobody approves what he asks for himself.', source: 'docs/POLICY.md' },
  {
    id: 'AP-6',
    text: 'What somebody refused to approve stays refused while the request is open.',
    source: 'docs/POLICY.md',
  },
  {
    id: 'AP-7',
    text: 'Requests are bounded in number and time, and hold nothing that redaction matched; no value at level metadata.',
    source: 'DESIGN §2 inv. 3, 7',
  },
  {
    id: 'AP-8',
    text: 'A decision is a record before it counts, and the call that makes use of it cites it with the approver and his assurance.',
    source: 'DESIGN §2 inv. 1',
  },
  {
    id: 'AP-9',
    text: 'Under observation nobody is asked and nothing refused; the record says what would have been asked.',
    source: 'DESIGN §5',
  },
  {
    id: 'AP-10',
    text: 'Where another policy forbids the call, none permits it, or one cannot be evaluated, nobody is asked to approve it.',
    source: 'docs/POLICY.md',
  },
  {
    id: 'AP-11',
    text: 'A token that proves who approves is verified by the gateway that lets the call pass, and is written nowhere.',
    source: 'ADR 0024',
  },
] as const
