import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Audit, type AuditableServer, type AuditOptions, auditServer } from '@affidavit/sensor/server'
import { onTestFinished } from 'vitest'

/** A folder of its own until the test is over. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-middleware-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  return folder
}

/** Audits every server it is given into one home, and ends the stream when the test is over. */
export function auditInto(home: string, options: Partial<AuditOptions> = {}) {
  const audits: Audit[] = []
  onTestFinished(async () => {
    await Promise.all(audits.map((audit) => audit.close()))
  })
  return (server: AuditableServer): Audit => {
    const audit = auditServer(server, { serverName: 'rich', home, ...options })
    audits.push(audit)
    return audit
  }
}
