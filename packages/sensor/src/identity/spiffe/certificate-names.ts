import { readAscii, readElements, readSole, tags } from './der.ts'

/** Names of certificates that are URIs (RFC 5280 §4.2.1.6), and which of them an authority may give (§4.2.1.10). */

/** GeneralName: a URI has the implicit tag 6. */
const uriTag = 0x86

/** Throws DerError. */
export function parseUriNames(value: Uint8Array): string[] {
  return readElements(readSole(value, tags.sequence))
    .filter(({ tag }) => tag === uriTag)
    .map(({ contents }) => readAscii(contents))
}

/** Hosts, or with a dot in front all hosts below one. */
export interface UriConstraints {
  /** Empty: all but the excluded ones. */
  permitted: string[]
  excluded: string[]
}

/** Constraints on other forms of names are left out: nobody is known by those here (X509-SVID §4.2). Throws DerError. */
export function parseConstraints(value: Uint8Array): UriConstraints {
  const fields = readElements(readSole(value, tags.sequence))
  const urisOf = (field: number) =>
    fields
      .filter(({ tag }) => tag === field)
      .flatMap(({ contents }) => readElements(contents))
      .flatMap(({ contents }) => readElements(contents).slice(0, 1))
      .filter(({ tag }) => tag === uriTag)
      .map(({ contents }) => readAscii(contents).toLowerCase())
  return { permitted: urisOf(0xa0), excluded: urisOf(0xa1) }
}

/** Whether an authority with these constraints may sign for names of this trust domain. */
export function isPermitted(trustDomain: string, { permitted, excluded }: UriConstraints): boolean {
  const matches = (host: string) => (host.startsWith('.') ? trustDomain.endsWith(host) : trustDomain === host)
  return !excluded.some(matches) && (permitted.length === 0 || permitted.some(matches))
}
