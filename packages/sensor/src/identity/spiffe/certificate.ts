import { type KeyObject, X509Certificate } from 'node:crypto'
import { parseConstraints, parseUriNames, type UriConstraints } from './certificate-names.ts'
import { DerError, type Element, readBoolean, readCount, readElements, readOid, readSole, tags } from './der.ts'
import { SpiffeRefusal } from './spiffe-refusal.ts'

/**
 * What a certificate says, beside what Node tells of it: Node verifies signatures and checks nothing else, and shows names as
 * text in which one can pose as two.
 */
export interface Certificate {
  x509: X509Certificate
  der: Uint8Array
  publicKey: KeyObject
  issuer: Uint8Array
  subject: Uint8Array
  signatureAlgorithm: string
  fromMs: number
  untilMs: number
  /** The URIs among its alternative names. */
  uris: string[]
  isCa: boolean
  /** How many signing certificates may stand below it. */
  pathLengthMax: number | undefined
  keyUsage: KeyUsage | undefined
  /** Undefined: for every purpose. */
  purposes: string[] | undefined
  constraints: UriConstraints | undefined
  /** Critical extensions that are not looked at here (RFC 5280 §4.2). */
  notUnderstood: string[]
}

/** RFC 5280 §4.2.1.3. */
export interface KeyUsage {
  isCritical: boolean
  digitalSignature: boolean
  keyCertSign: boolean
  crlSign: boolean
}

export const certificateBytesMax = 64 * 1024

/** Throws SpiffeRefusal `certificate_malformed`. */
export function parseCertificate(der: Uint8Array): Certificate {
  try {
    return readCertificate(der)
  } catch (error) {
    // Whatever OpenSSL or we cannot read.
    if (error instanceof DerError || (error instanceof Error && 'code' in error))
      throw new SpiffeRefusal('certificate_malformed')
    throw error
  }
}

function readCertificate(der: Uint8Array): Certificate {
  if (der.length > certificateBytesMax) throw new DerError('too long')
  const [tbs, algorithm, signature] = readElements(readSole(der, tags.sequence))
  if (tbs === undefined || algorithm === undefined || signature === undefined) throw new DerError('no certificate')
  const fields = readElements(tbs.contents)
  // Version 3 stands in front, explicitly tagged 0; without it there are no extensions.
  const [version, , , issuer, , subject] = fields
  if (version?.tag !== 0xa0 || issuer === undefined || subject === undefined) throw new DerError('not of version 3')
  const x509 = new X509Certificate(der)
  const wrapped = fields.find(({ tag }) => tag === 0xa3)
  const extensions = wrapped === undefined ? [] : readElements(readSole(wrapped.contents, tags.sequence))
  const [oid] = readElements(algorithm.contents)
  return {
    x509,
    der,
    // Read here, because a key that cannot be read throws whenever it is asked for.
    publicKey: x509.publicKey,
    issuer: issuer.whole,
    subject: subject.whole,
    signatureAlgorithm: oid === undefined ? '' : readOid(oid.contents),
    fromMs: parseTime(x509.validFrom),
    untilMs: parseTime(x509.validTo),
    ...readExtensions(extensions),
  }
}

/** In OpenSSL's form, which Date reads. */
function parseTime(text: string): number {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new DerError('a time that cannot be read')
  return ms
}

interface Extension {
  oid: string
  isCritical: boolean
  value: Uint8Array
}

const oids = {
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  purposes: '2.5.29.37',
} as const

type Extended = Omit<
  Certificate,
  'x509' | 'der' | 'publicKey' | 'issuer' | 'subject' | 'signatureAlgorithm' | 'fromMs' | 'untilMs'
>

function readExtensions(elements: readonly Element[]): Extended {
  const all = elements.map(readExtension)
  // RFC 5280 §4.2: each at most once. Of two, everybody would believe another one.
  if (new Set(all.map(({ oid }) => oid)).size !== all.length) throw new DerError('an extension twice')
  const find = (oid: string) => all.find((extension) => extension.oid === oid)
  const names = find(oids.alternativeNames)
  const limits = find(oids.basicConstraints)
  const usage = find(oids.keyUsage)
  const purposes = find(oids.purposes)
  const constraints = find(oids.nameConstraints)
  const understood: readonly string[] = Object.values(oids)
  return {
    uris: names === undefined ? [] : parseUriNames(names.value),
    ...(limits === undefined ? { isCa: false, pathLengthMax: undefined } : readBasicConstraints(limits.value)),
    keyUsage: usage === undefined ? undefined : readKeyUsage(usage),
    purposes:
      purposes === undefined
        ? undefined
        : readElements(readSole(purposes.value, tags.sequence)).map(({ contents }) => readOid(contents)),
    constraints: constraints === undefined ? undefined : parseConstraints(constraints.value),
    notUnderstood: all.filter(({ oid, isCritical }) => isCritical && !understood.includes(oid)).map(({ oid }) => oid),
  }
}

function readExtension({ tag, contents }: Element): Extension {
  const [oid, ...rest] = tag === tags.sequence ? readElements(contents) : []
  const [critical, octets] = rest.length === 2 ? rest : [undefined, rest[0]]
  if (oid?.tag !== tags.oid || octets?.tag !== tags.octetString) throw new DerError('no extension')
  if (critical !== undefined && critical.tag !== tags.boolean) throw new DerError('no extension')
  return {
    oid: readOid(oid.contents),
    isCritical: critical === undefined ? false : readBoolean(critical.contents),
    value: octets.contents,
  }
}

/** RFC 5280 §4.2.1.9. */
function readBasicConstraints(value: Uint8Array): { isCa: boolean; pathLengthMax: number | undefined } {
  const fields = readElements(readSole(value, tags.sequence))
  const ca = fields.find(({ tag }) => tag === tags.boolean)
  const length = fields.find(({ tag }) => tag === tags.integer)
  return {
    isCa: ca === undefined ? false : readBoolean(ca.contents),
    pathLengthMax: length === undefined ? undefined : readCount(length.contents),
  }
}

/** The first byte of a bit string counts its unused bits; bit 0 is the highest of the next. */
function readKeyUsage({ value, isCritical }: Extension): KeyUsage {
  const [, bits = 0] = readSole(value, tags.bitString)
  return {
    isCritical,
    digitalSignature: (bits & 0x80) !== 0,
    keyCertSign: (bits & 0x04) !== 0,
    crlSign: (bits & 0x02) !== 0,
  }
}
