import type { ServerRef } from '@affidavit/evidence/record/header'
import type { CaptureContext } from './context.ts'
import { CallGroups } from './groups.ts'
import { NotifyTally } from './notify.ts'
import type { BaselineContext } from './tools/baseline-store.ts'
import { ToolRegistry } from './tools/registry.ts'

/**
 * What one server has told, on whatever connection: who it is, its tools, what joins calls. A stdio connection has its own;
 * behind a gateway all connections to a server share one.
 */
export class ServerKnowledge {
  /** As configured and as reported last. */
  server: ServerRef
  readonly tools = new ToolRegistry()
  readonly groups = new CallGroups()
  readonly notify: NotifyTally

  constructor(context: Pick<CaptureContext, 'serverName' | 'digest'>) {
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
