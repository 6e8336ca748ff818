import type { ServerRef } from '@affidavit/evidence/record/header'
import { type MetaClaims, type Redact, readMetaClaims } from '../identity/claims.ts'
import type { CaptureContext } from './context.ts'
import { CallGroups } from './groups.ts'
import { guardRedactor } from './guard-redactor.ts'
import { parseBytes } from './line.ts'
import { NotifyTally } from './notify.ts'
import { remember } from './remember.ts'
import { readServerMeta } from './server-names.ts'
import type { BaselineContext } from './tools/baseline-store.ts'
import { ToolRegistry } from './tools/registry.ts'

const requestMetaBytesMax = 64 * 1024
const resultMetaBytesMax = 1024 * 1024

/**
 * What one server and its clients have told, on whatever connection: who they are, its tools, what joins calls. A stdio connection has its own;
 * behind a gateway all connections to a server share one.
 */
export class ServerKnowledge {
  /** As configured and as reported last. */
  server: ServerRef
  readonly tools = new ToolRegistry()
  readonly groups = new CallGroups()
  readonly notify: NotifyTally
  /** Takes out of free text what must not be kept. */
  readonly redact: Redact
  /** What `_meta` of a request says. The same object for the same bytes: what is encoded of it is kept with it. */
  readonly claimsOf: (meta: Uint8Array | undefined) => MetaClaims
  /** How a server names itself in `_meta` of a result. */
  readonly namesOf: (meta: Uint8Array | undefined) => Partial<ServerRef>

  constructor(context: Pick<CaptureContext, 'serverName' | 'digest' | 'redactor' | 'diagnose'>) {
    const redactor = guardRedactor(context)
    this.redact = (text) => redactor.redactText(text).text
    this.claimsOf = orNothing(
      remember((meta) => readMetaClaims(parseBytes(meta), this.redact)),
      requestMetaBytesMax,
    )
    this.namesOf = orNothing(
      remember((meta) => readServerMeta(parseBytes(meta), this.redact)),
      resultMetaBytesMax,
    )
    this.server = { name: context.serverName }
    this.notify = new NotifyTally((method) => context.digest(method))
  }

  /** Writes what was counted since the last call, and what is known of tools. What could not be written is counted again. */
  async flush(context: Pick<CaptureContext, 'emit'> & BaselineContext): Promise<void> {
    const drafts = this.notify.take(this.server)
    const saved = this.tools.save(context)
    const results = await Promise.allSettled(drafts.map((draft) => context.emit(draft, {})))
    for (const [i, { status }] of results.entries()) {
      const draft = drafts[i]
      if (status === 'rejected' && draft !== undefined) this.notify.putBack(draft)
    }
    await saved
  }
}

function orNothing<T extends object>(read: (bytes: Uint8Array) => Partial<T>, bytesMax: number) {
  return (bytes: Uint8Array | undefined): Partial<T> =>
    bytes === undefined || bytes.length > bytesMax ? {} : read(bytes)
}
