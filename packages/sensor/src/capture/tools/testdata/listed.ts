import { readLocalFacts } from '../../../identity/local.ts'
import { createRedactor } from '../../../redact/redactor.ts'
import { readClock } from '../../clock.ts'
import { stdioOrigin } from '../../origin.ts'
import { LineScan } from '../../scan.ts'
import { ToolRegistry } from '../registry.ts'
import { viewerOf } from '../viewer.ts'

/** The registry of a server that has listed these definitions, each as JSON text. */
export async function listed(...tools: string[]): Promise<ToolRegistry> {
  const facts = readLocalFacts(undefined)
  const origin = stdioOrigin(facts)
  const digest = () => `00000000:${Buffer.alloc(32).toString('base64')}`
  const bytes = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":{"tools":[${tools.join(',')}]}}`)
  const scan = new LineScan()
  scan.push(bytes)
  const scanned = scan.end()
  const [message] = scanned.messages
  if (message === undefined) throw new Error('no message')
  const registry = new ToolRegistry()
  const context = {
    ...({ digest, facts, level: 'arguments', serverName: 'unit', vantage: 'gateway' } as const),
    emit: async () => ({ recorded: true, hash: new Uint8Array(32) }),
    redactor: createRedactor({ correlationKey: new Uint8Array(32) }),
    diagnose: () => undefined,
  }
  const line = {
    direction: 'server-to-client',
    scanned,
    arrived: readClock(),
    ending: 'terminated',
    bytes,
    origin,
  } as const
  const asked = { viewer: viewerOf(origin, digest), cursor: undefined }
  await registry.take(context, { line, message, asked, callId: '', server: { name: 'unit' } })
  return registry
}
