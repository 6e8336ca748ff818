import { RecordError } from '@affidavit/evidence/record/error'

/** What an opened section says; undefined where there is none, or it has another shape: verification is who reports that. */
export function parseOpened<V>(bytes: Uint8Array | undefined, parse: (bytes: Uint8Array) => V): V | undefined {
  if (bytes === undefined) return undefined
  try {
    return parse(bytes)
  } catch (error) {
    if (error instanceof RecordError) return undefined
    throw error
  }
}
