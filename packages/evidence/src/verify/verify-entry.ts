import { toBase64 } from '../log/base64.ts'
import { type Cosignature, verifyCosignatures } from '../log/cosignature.ts'
import { hashLeaf } from '../log/hash.ts'
import { parseProofFile, verifyProofFile } from '../log/proof-file.ts'
import { splitEntry } from '../record/entry.ts'
import type { Envelope } from '../record/envelope.ts'
import { parseEnvelope } from '../record/envelope-bytes.ts'
import { RecordError } from '../record/error.ts'
import type { Header } from '../record/header.ts'
import { parseHeader } from '../record/header-bytes.ts'
import { type SectionName, sectionNames } from '../record/kinds.ts'
import type { Sections } from '../record/sections.ts'
import { type LogPolicy, toLogIdentity, toWitnesses, type VerifyCrypto } from './policy.ts'
import { commitmentsOf, type OpenedSection, verifySection } from './verify-sections.ts'

/** What somebody hands over to prove one entry. */
export interface EntryEvidence {
  /** Header line, LF, envelope line: the bytes of the leaf. */
  readonly entry: Uint8Array
  /** C2SP tlog-proof. */
  readonly proofFile: Uint8Array
  /** Sections they chose to disclose. */
  readonly sections: readonly OpenedSection[]
}

export interface VerifiedEntry {
  readonly index: bigint
  readonly header: Header
  readonly envelope: Envelope
  readonly sections: Sections
  /** Committed to and not disclosed. */
  readonly withheld: readonly SectionName[]
  readonly checkpoint: { readonly origin: string; readonly size: bigint; readonly root: string }
  readonly cosignatures: readonly Cosignature[]
  /** One entry says nothing of the others: whether the log as a whole is continuous needs the log (verifyLog). */
  readonly integrity: 'SIGNED' | 'WITNESSED'
}

/**
 * Verifies one entry offline, under the verifier's own policy: in the log that the checkpoint states, at that index,
 * with the disclosed sections being those it commits to. Throws VerifyError (note, checkpoint, proof) and RecordError
 * (entry, sections).
 */
export async function verifyEntry(
  crypto: VerifyCrypto,
  policy: LogPolicy,
  { entry, proofFile, sections }: EntryEvidence,
): Promise<VerifiedEntry> {
  const file = parseProofFile(proofFile)
  const identity = { ...toLogIdentity(crypto, policy), sha256: crypto.sha256 }
  const { origin, size, root, note } = await verifyProofFile(identity, file, hashLeaf(crypto.sha256, entry))
  const cosignatures = await verifyCosignatures(note, toWitnesses(crypto, policy))
  const lines = splitEntry(entry)
  const header = parseHeader(lines.header)
  const envelope = parseEnvelope(lines.envelope)
  const opened = openSections(crypto, { header, envelope }, sections)
  return {
    index: file.index,
    header,
    envelope,
    ...opened,
    checkpoint: { origin, size, root: toBase64(root) },
    cosignatures,
    integrity: cosignatures.length >= Math.max(1, policy.witnessesRequired) ? 'WITNESSED' : 'SIGNED',
  }
}

function openSections(
  { sha256 }: VerifyCrypto,
  { header, envelope }: { header: Header; envelope: Envelope },
  disclosed: readonly OpenedSection[],
): Pick<VerifiedEntry, 'sections' | 'withheld'> {
  const commitments = commitmentsOf(header, envelope)
  const sections: Sections = {}
  for (const section of disclosed) {
    if (sections[section.name] !== undefined)
      throw new RecordError('commitment_mismatch', section.name, 'section is disclosed twice')
    verifySection(sha256, commitments, section)
    sections[section.name] = section.bytes
  }
  const isWithheld = (name: SectionName) => commitments[name] !== undefined && sections[name] === undefined
  return { sections, withheld: sectionNames.filter(isWithheld) }
}
