import { basename } from 'node:path'
import type { PolicySource } from '../policy/policy-set.ts'
import type { PolicyConfig } from './policy-config.ts'
import { readFeedSource } from './policy-feed.ts'
import { readText } from './yaml-config.ts'

/** Reads the policies that a configuration names, from files or out of the control feed. Throws UsageError. */
export async function readPolicySource(
  { files = [], schema, feed }: PolicyConfig,
  homeDir: string,
): Promise<PolicySource> {
  const named = (path: string) => ({ name: basename(path), text: readText(path) })
  if (feed !== undefined) return readFeedSource(feed, homeDir)
  return { policies: files.map(named), schema: schema === undefined ? undefined : named(schema) }
}
