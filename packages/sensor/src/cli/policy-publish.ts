import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { basename } from 'node:path'
import { RecordError } from '@affidavit/evidence/record/error'
import { encodeFeed, encodeFeedFile, encodeFeedMessage } from '@affidavit/evidence/wire/control-feed'
import { systemLayer } from '../durable/layer.ts'
import { replace } from '../durable/write.ts'
import { loadCedar } from '../policy/cedar-engine.ts'
import { compileSet } from '../policy/compile.ts'
import { PolicyError } from '../policy/policy-error.ts'
import { UsageError } from './usage-error.ts'
import { readText } from './yaml-config.ts'

export interface Publication {
  keyFile: string
  version: number
  files: readonly string[]
  schema: string | undefined
  out: string
}

/** Signs policies as a document of the control feed. Returns the public key, in the form of the configuration. */
export async function publishPolicies({ keyFile, version, files, schema, out }: Publication): Promise<string> {
  const key = readKey(keyFile)
  const named = (path: string) => ({ name: basename(path), text: readText(path) })
  const policies = files.map(named)
  const checked = schema === undefined ? undefined : named(schema)
  try {
    // No sensor would take it: then nobody should have to find out there.
    compileSet(await loadCedar(), { policies, schema: checked })
    const issued = new Date().toISOString()
    const line = encodeFeed({ v: 1, version, issued, policies, ...(checked === undefined ? {} : { schema: checked }) })
    await replace(systemLayer, out, encodeFeedFile(line, sign(null, encodeFeedMessage(line), key)))
  } catch (error) {
    if (error instanceof PolicyError) throw new UsageError(error.code, error.message, error.remedy)
    if (error instanceof RecordError)
      throw new UsageError('AFD_USAGE', error.message, 'A feed holds at most 256 texts of 1 MiB.')
    throw error
  }
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')
}

function readKey(path: string): KeyObject {
  const text = readText(path)
  const remedy = 'Make one: openssl genpkey -algorithm ed25519 -out policy.key'
  try {
    const key = createPrivateKey(text)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new UsageError('AFD_SECRET_UNREADABLE', `${path} holds no private key in PEM (${code})`, remedy)
  }
  throw new UsageError('AFD_SECRET_UNREADABLE', `${path} holds a key that is not Ed25519`, remedy)
}
