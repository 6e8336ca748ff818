import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Header } from '@affidavit/evidence/record/header'
import { type IdentitySection, parseIdentity } from '@affidavit/evidence/record/identity-section'
import { decodeBody, deriveRecordKeys, deriveRecordSecret } from '@affidavit/evidence/record/sections'
import { sealing } from '@affidavit/sensor/crypto/node'
import { openX25519 } from '@affidavit/sensor/crypto/seal-box'
import { openHome } from '@affidavit/sensor/durable/home'
import { toHomePaths } from '@affidavit/sensor/durable/home-paths'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { listStreams, readAll } from '../../../packages/sensor/src/spool/testdata/calls.ts'

export interface OpenedRecord {
  header: Header
  identity?: IdentitySection
  /** Header and all sections, in the clear. */
  text: string
}

/** Every record in the spool of a home, opened with the home's own keys. */
export async function readHome(dir: string): Promise<OpenedRecord[]> {
  const { privateKey } = await (await openHome(dir)).collectorKey()
  const directory = toHomePaths(dir).spool
  const opened: OpenedRecord[] = []
  for (const streamId of await listStreams(systemLayer, directory)) {
    const { items, records } = await readAll({ layer: systemLayer, directory, streamId, state: 'dead' })
    const [first] = items
    if (first?.type !== 'preamble') throw new Error('a stream without preamble')
    const secret = openX25519(privateKey, first.preamble.sealedSecret)
    for (const { header, headerBytes, body } of records) {
      const { bodyKey } = deriveRecordKeys(sealing, deriveRecordSecret(sealing, secret, header.seq))
      const sections = body.length === 0 ? {} : decodeBody(sealing.open(bodyKey, body))
      const text = Buffer.concat([headerBytes, ...Object.values(sections)]).toString()
      const { identity } = sections
      opened.push({ header, text, ...(identity === undefined ? {} : { identity: parseIdentity(identity) }) })
    }
  }
  return opened
}

/** Which of these texts stand in any file below the folder or in a record that its keys open, as they are or in base64. */
export async function findIn(dir: string, texts: readonly string[]): Promise<string[]> {
  const records = (await readHome(dir)).map(({ text }) => Buffer.from(text))
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const contents = [...records, ...files.map((entry) => readFileSync(join(entry.parentPath, entry.name)))]
  const spellings = (text: string) => [
    text,
    Buffer.from(text).toString('base64'),
    Buffer.from(text).toString('base64url'),
  ]
  return texts.filter((text) => contents.some((bytes) => spellings(text).some((spelling) => bytes.includes(spelling))))
}
