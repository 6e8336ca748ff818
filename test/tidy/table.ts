/** DESIGN §6 as data: what each folder may import. `evidence` folders are open to whoever names them; the rest is refused. */

export interface Room {
  /** Folders it may import, in whatever package they stand. */
  imports: readonly string[]
  /** npm packages it may import. */
  packages?: readonly string[]
}

const everything = ['*']
/** Entry points of the middleware: all of the sensor but install and cli. */
const entry = [
  'record', 'wire', 'durable', 'crypto', 'identity', 'redact', 'classify', 'policy', 'capture', 'spool', 'ship', 'server',
] // biome-ignore format: one list

export const table: Record<string, Record<string, Room>> = {
  evidence: {
    record: { imports: [] },
    log: { imports: [] },
    wire: { imports: ['record'] },
    verify: { imports: ['record', 'log'] },
  },
  sensor: {
    durable: { imports: [] },
    // ADR-0003: Node's half of the functions that evidence takes as parameters has one home.
    crypto: { imports: ['record'] },
    // ADR-0023: gRPC is a plug-in; here its types only, loaded by cli where the Workload API is configured.
    identity: { imports: ['record'], packages: ['jose', '@grpc/grpc-js'] },
    redact: { imports: ['record'], packages: ['re2js', 'yaml', 'zod'] },
    // ADR-0018: parsers of SQL are plug-ins.
    classify: { imports: ['record'], packages: ['re2js', 'yaml', 'zod', 'libpg-query', '@polyglot-sql/sdk'] },
    policy: { imports: ['record'], packages: ['@cedar-policy/cedar-wasm'] },
    // ADR-0024: calls wait for approvals in files of the home, and signatures are verified where the call is.
    approve: { imports: ['record', 'wire', 'durable', 'crypto', 'policy'] },
    // ADR-0011: zstd bodies are read on Node 20 too. ADR-0012: one schema parses reports and is published.
    capture: { imports: ['record', 'identity', 'redact', 'classify', 'policy'], packages: ['fzstd', 'zod'] },
    spool: { imports: ['record', 'durable', 'crypto'] },
    ship: { imports: ['record', 'wire', 'spool', 'durable', 'crypto'] },
    server: { imports: entry },
    client: { imports: entry },
    install: { imports: [], packages: ['jsonc-parser'] },
    cli: { imports: everything, packages: ['yaml', 'zod', '@grpc/grpc-js'] },
  },
  affidavit: {
    store: { imports: ['record', 'log', 'durable', 'crypto'] },
    collect: { imports: ['record', 'log', 'wire', 'store', 'identity', 'durable', 'crypto'] },
    query: { imports: ['record', 'log', 'store', 'crypto'] },
    cli: { imports: everything, packages: ['yaml', 'zod'] },
  },
}
