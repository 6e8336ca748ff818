import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RecordError } from '@affidavit/evidence/record/error'
import { FeedError, type SeenFeed, verifyFeed } from '@affidavit/evidence/wire/control-feed'
import { z } from 'zod'
import { verifyEd25519 } from '../crypto/node.ts'
import { toHomePaths } from '../durable/home-paths.ts'
import { systemLayer } from '../durable/layer.ts'
import { createDirectory, replace } from '../durable/write.ts'
import type { PolicySource } from '../policy/policy-set.ts'
import { UsageError } from './usage-error.ts'
import { readText } from './yaml-config.ts'

const seenSchema = z.strictObject({ version: z.int().min(0), document: z.string() })
const remedy = 'Put the newest document of this key there, as its publisher wrote it; docs/POLICY.md has the form.'

/**
 * The policies of a signed control feed. The version seen last is kept in the home folder, per key: whoever can write the
 * file but not sign it can neither change a policy nor bring an old set back, unless he can write the home folder too.
 * Throws UsageError `AFD_FEED_REFUSED`.
 */
export async function readFeedSource(
  { file, key }: { file: string; key: string },
  homeDir: string,
): Promise<PolicySource> {
  const bytes = Buffer.from(readText(file))
  const publicKey = Buffer.from(key, 'base64')
  const { state } = toHomePaths(homeDir)
  const statePath = join(state, `feed-${createHash('sha256').update(publicKey).digest('hex').slice(0, 16)}.json`)
  const before = readSeen(statePath)
  const { feed, seen } = await refuseInWords(file, () =>
    verifyFeed(bytes, {
      verify: (message, signature) => verifyEd25519(publicKey, message, signature),
      seen: before,
      name: (line) => createHash('sha256').update(line).digest('base64'),
    }),
  )
  // Durable before the set is in force. A crash between the two: the same document is taken again.
  if (seen.document !== before?.document) {
    await createDirectory(systemLayer, state)
    await replace(systemLayer, statePath, Buffer.from(JSON.stringify(seen)))
  }
  return { policies: feed.policies, schema: feed.schema, version: String(feed.version), risk: feed.risk }
}

function readSeen(path: string): SeenFeed | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new UsageError('AFD_CONFIG_UNREADABLE', `${path} cannot be read`, 'Check its permissions.')
  }
  const parsed = seenSchema.safeParse(JSON.parse(text))
  if (!parsed.success)
    throw new UsageError('AFD_FEED_REFUSED', `${path} does not say which version was seen last`, 'Restore it.')
  return parsed.data
}

async function refuseInWords<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof FeedError || error instanceof RecordError)) throw error
    throw new UsageError('AFD_FEED_REFUSED', `${file}: ${error.message} (${error.code})`, remedy)
  }
}
