import type { Introspect } from './introspection.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import type { TokenKind } from './token-kind.ts'
import type { RoleRule } from './token-role.ts'

/** Whose tokens count, and what they must be. */
export interface TokenTrust {
  /** By what stands in `iss`. */
  issuers: ReadonlyMap<string, IssuerRules>
  /** Who is asked about tokens that nobody else can read. One alone: whoever is asked sees the token. */
  introspecting?: IssuerRules & { introspect: Introspect }
}

/** What a token of one issuer must be (RFC 9068 §4, RFC 8707). */
export interface IssuerRules {
  issuer: string
  kind: TokenKind
  keys: IssuerKeys
  /** One of these must be among the token's audiences: this server, by its own name. */
  audiences: readonly string[]
  algorithms: readonly string[]
  /** `any` also admits tokens that do not call themselves at+jwt, as many issuers' do not. */
  typ: 'at+jwt' | 'any'
  /** How far clocks may differ. */
  skewMs: number
  role: RoleRule
  /** By claim or attribute: one of these values must stand there; a final `*` stands for any rest. */
  claims: ReadonlyMap<string, readonly string[]>
}

/** Algorithms with public keys. With a shared secret, whoever checks a token could also make one. */
export const signatureAlgorithms = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519',
] as const // biome-ignore format: one list, read as one
