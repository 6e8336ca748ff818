export const requirements = [
  { id: 'MW-1', text: 'auditServer records every exchange of servers of both official SDKs over stdio, in three lines.', source: 'DESIGN §6 server' },
  { id: 'MW-2', text: 'It does so over Streamable HTTP: with sessions, stateless, and per request (2026-07-28).', source: 'DESIGN §5' },
  { id: 'MW-3', text: 'What clients get from an audited server is byte for byte what they get from a bare one, HTTP statuses of early refusals included.', source: 'DESIGN §2 inv. 4' },
  { id: 'MW-4', text: 'A request reaches its handler after its requested record, a result is sent after its completed record, both durable; order is kept per direction, and requests of the server are recorded alike.', source: 'DESIGN §2 inv. 1' },
  { id: 'MW-5', text: 'What cannot be recorded is not executed (-31001), results that cannot be are withheld (-31002), and the fail mode decides as everywhere.', source: 'DESIGN §2 inv. 1, 2' },
  { id: 'MW-6', text: 'Calls that are given up or cut off get their outcome: cancelled in the modern era, transport_error where the connection ended.', source: 'DESIGN §5' },
  { id: 'MW-7', text: 'What only the server knows of a call (tables, rows, data types, whose data, classification) is recorded with its outcome, also where the call is not answered; where there is no room, how much there was.', source: 'DESIGN §3 field 10' },
  { id: 'MW-8', text: 'A handler gets the id of its call for SQL comments and downstream headers: a line of the database\'s own log leads to the records of the call.', source: 'DESIGN §3 field 12' },
  { id: 'MW-9', text: 'A process that ends by itself closes its stream; close() does it for those that do not.', source: 'DESIGN §3' },
  { id: 'MW-10', text: 'The records of an audited server and those of run or the gateway in front of it are the same field by field, but for what only one of them can see, which is named.', source: 'DESIGN §3 vantage' },
  { id: 'MW-11', text: 'auditFetch records the exchanges of an agent with servers it does not own: sent when recorded, let go when what came of them is, over JSON and events, resumption, cancellation and failures included.', source: 'DESIGN §6 client' },
  { id: 'MW-12', text: 'What goes through auditFetch arrives byte for byte, and what is not MCP passes unrecorded.', source: 'DESIGN §2 inv. 4' },
] as const // biome-ignore format: one row, one line
