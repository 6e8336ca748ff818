/** From who began it to the data. docs/IDENTITY.md has the rules. */
export const requirements = [
  {
    id: 'TR-1',
    text: "A pipeline, its agent, a server, the server it calls in turn and the table behind that are one chain, joined by the database's own log line.",
    source: 'DESIGN §3 delegation',
  },
  {
    id: 'TR-2',
    text: 'A chain is found by call, trace, call group and run of a pipeline, whichever is at hand.',
    source: 'docs/CLI.md',
  },
  {
    id: 'TR-3',
    text: 'Task, intent, reason and turn that a client declares are kept, claimed, redacted and bounded, hidden at level metadata, and shown beside the decision.',
    source: 'DESIGN §3 purpose',
  },
  {
    id: 'TR-4',
    text: 'A call hangs on another only where something says so: a parent that is not there, was not under way or is one of several is a break, and breaks are named.',
    source: 'DESIGN §2 inv. 6',
  },
  {
    id: 'TR-5',
    text: 'A pipeline that reads a secret is followed from its proven identity over the state of the machine, decision and time-limited credential to the access.',
    source: 'DESIGN §3',
  },
  {
    id: 'TR-6',
    text: 'A server hands the id of the call it serves on, by HTTP or _meta, and whoever records next takes it for no more than a claim.',
    source: 'docs/MIDDLEWARE.md',
  },
  {
    id: 'TR-7',
    text: "Lines of a server's own log that name a call are joined to it as claims; a line that names only a trace of several calls is joined to none.",
    source: 'docs/CLI.md',
  },
] as const
