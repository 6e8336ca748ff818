import { JsonScanner } from '@affidavit/evidence/record/json-scan'
import { isJsonObject } from './claims.ts'

/** What a signed token says, before anybody looked at its signature. */
export interface JwtText {
  header: Record<string, unknown>
  claims: Record<string, unknown>
}

/** Longer tokens are not looked into: no header field should be longer, and Node refuses 16 KiB of them by default. */
export const tokenBytesMax = 16 * 1024
const depthMax = 40
/** Compact serialisation (RFC 7515 §7.1, RFC 7516 §7.1) has three parts for a signature and five for encryption. */
const signedParts = 3
const encryptedParts = 5

export type JwtFlaw = 'token_not_jwt' | 'token_encrypted' | 'token_nested' | 'token_malformed' | 'claims_ambiguous'

/**
 * Header and claims of a compact JWS, or why there are none. Stricter than most parsers, so that no two of them can read it
 * differently: one spelling of the base64url, UTF-8, JSON objects without duplicate names. Never throws.
 */
export function parseJwtText(token: string): JwtText | JwtFlaw {
  const parts = token.split('.', encryptedParts + 1)
  if (parts.length === encryptedParts) return 'token_encrypted'
  if (parts.length !== signedParts) return 'token_not_jwt'
  const [header, claims, signature] = parts.map(decodePart)
  if (header === undefined || claims === undefined || signature === undefined) return 'token_malformed'
  const headerObject = parseObject(header)
  if (typeof headerObject === 'string') return headerObject
  // RFC 7519 §5.2: what is signed is another token, and its claims are not these.
  if (String(headerObject.cty).toLowerCase() === 'jwt') return 'token_nested'
  const claimsObject = parseObject(claims)
  return typeof claimsObject === 'string' ? claimsObject : { header: headerObject, claims: claimsObject }
}

/** Undefined where it is not base64url, or a second spelling: unused bits that are set would make another token of the same text. */
function decodePart(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

function parseObject(bytes: Buffer): Record<string, unknown> | 'token_malformed' | 'claims_ambiguous' {
  const open: Set<string>[] = []
  let isAmbiguous = false
  const scanner = new JsonScanner(
    ({ type, raw }) => {
      if (type === 'beginObject') open.push(new Set())
      else if (type === 'endObject') open.pop()
      else if (type === 'key' && raw !== undefined) {
        const name: unknown = JSON.parse(Buffer.from(raw).toString())
        const names = open.at(-1)
        isAmbiguous ||= names?.has(String(name)) ?? false
        names?.add(String(name))
      }
    },
    { depthMax },
  )
  scanner.push(bytes)
  if (scanner.end() !== undefined) return 'token_malformed'
  if (isAmbiguous) return 'claims_ambiguous'
  const value: unknown = JSON.parse(bytes.toString())
  return isJsonObject(value) ? value : 'token_malformed'
}
