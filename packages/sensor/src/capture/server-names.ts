import type { ServerRef } from '@affidavit/evidence/record/header'
import { clipText, isKeptName } from '@affidavit/evidence/record/text'
import { isJsonObject, type Redact } from '../identity/claims.ts'

const serverKey = 'io.modelcontextprotocol/serverInfo'
/** Revisions are dates; drafts have names. Whatever else a server answers is no version. */
const protocolVersionPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/

/** How a server names itself in a result of `initialize` or `server/discover`. */
export function readHandshake(result: unknown, redact: Redact): Partial<ServerRef> {
  const protocolVersion = fieldOf(result, 'protocolVersion')
  const server = fieldOf(result, 'serverInfo') ?? fieldOf(fieldOf(result, '_meta'), serverKey)
  const isVersion = typeof protocolVersion === 'string' && protocolVersionPattern.test(protocolVersion)
  return { ...readServer(server, redact), ...(isVersion ? keep('protocolVersion', protocolVersion, redact) : {}) }
}

/** The same, in `_meta` of any other result (MCP 2026-07-28). */
export function readServerMeta(meta: unknown, redact: Redact): Partial<ServerRef> {
  return readServer(fieldOf(meta, serverKey), redact)
}

function readServer(server: unknown, redact: Redact): Partial<ServerRef> {
  return {
    ...keep('reportedName', fieldOf(server, 'name'), redact),
    ...keep('version', fieldOf(server, 'version'), redact),
  }
}

/**
 * Names that servers chose are kept exactly or, where they are longer than a header takes, not at all; but for what
 * redaction matches, because the header stays in the log for ever.
 */
function keep(key: 'reportedName' | 'version' | 'protocolVersion', value: unknown, redact: Redact): Partial<ServerRef> {
  return typeof value === 'string' && isKeptName(value) ? { [key]: clipText(redact(value)) } : {}
}

export function fieldOf(value: unknown, key: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}
