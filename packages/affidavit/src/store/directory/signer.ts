import type { FileLayer } from '@affidavit/sensor/durable/layer'
import { createOnce, replace } from '@affidavit/sensor/durable/write'
import type { SignerState, SignerStore } from '../contract.ts'
import { StoreError } from '../error.ts'

const hashBytes = 32
/**
 * signer/state.json. The state of the empty tree is written before the signing key exists, so a key without a state means
 * that the state was lost, and is not taken for a new log: StoreError `signer_lost`.
 */
export async function openSignerStore(
  layer: FileLayer,
  path: string,
  empty: SignerState,
  keyExists: () => Promise<boolean>,
): Promise<SignerStore> {
  if ((await layer.readFile(path)) === undefined) {
    if (await keyExists()) throw stateLost(path)
    await createOnce(layer, path, encode(empty))
  }
  return {
    load: async () => {
      const bytes = await layer.readFile(path)
      if (bytes === undefined) throw stateLost(path)
      return parseState(path, bytes)
    },
    save: (state) => replace(layer, path, encode(state)),
  }
}

function encode({ origin, size, root, checkpoint }: SignerState): Uint8Array {
  const text = checkpoint === undefined ? {} : { checkpoint: Buffer.from(checkpoint).toString('utf8') }
  const state = { v: 1, origin, size, root: Buffer.from(root).toString('base64'), ...text }
  return Buffer.from(`${JSON.stringify(state)}\n`)
}

/** Throws StoreError `signer_malformed` for anything that encode would not write. */
function parseState(path: string, bytes: Uint8Array): SignerState {
  const malformed = (why: string) =>
    new StoreError('signer_malformed', `${path}: ${why}; restore it from a backup, an older one stops the collector`)
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    throw malformed(`not JSON (${String(error)})`)
  }
  if (typeof value !== 'object' || value === null) throw malformed('not an object')
  const { v, origin, size, root, checkpoint } = value as Record<string, unknown>
  if (v !== 1 || typeof origin !== 'string' || typeof root !== 'string') throw malformed('not of version 1')
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw malformed('size is no tree size')
  if (checkpoint !== undefined && typeof checkpoint !== 'string') throw malformed('checkpoint is not text')
  const rootBytes = new Uint8Array(Buffer.from(root, 'base64'))
  if (rootBytes.length !== hashBytes) throw malformed('the root is not 32 bytes')
  const note = checkpoint === undefined ? {} : { checkpoint: new Uint8Array(Buffer.from(checkpoint)) }
  return { origin, size, root: rootBytes, ...note }
}

function stateLost(path: string): StoreError {
  return new StoreError(
    'signer_lost',
    `${path} is missing though this log was signed before: restore it, without it nobody can say what was signed`,
  )
}
