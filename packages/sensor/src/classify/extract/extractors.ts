import { extractBucket } from './bucket.ts'
import { extractKubernetes } from './kubernetes.ts'
import type { Extractor } from './named.ts'
import type { ExtractorName } from './names.ts'
import { extractPath } from './path.ts'
import { extractRecipient } from './recipient.ts'
import { extractRepository } from './repository.ts'
import { extractHost, extractUrl } from './url.ts'

export interface KnownExtractor {
  extract: Extractor
  /** Names of the parts that it can be given, besides the whole. */
  parts: readonly string[]
}

export const extractors: Readonly<Record<Exclude<ExtractorName, 'sql'>, KnownExtractor>> = {
  path: { extract: extractPath, parts: ['folder', 'file'] },
  url: { extract: extractUrl, parts: [] },
  host: { extract: extractHost, parts: [] },
  recipient: { extract: extractRecipient, parts: [] },
  bucket: { extract: extractBucket, parts: ['scheme', 'bucket', 'key'] },
  kubernetes: { extract: extractKubernetes, parts: ['kind', 'name', 'namespace', 'cluster', 'manifest'] },
  repository: { extract: extractRepository, parts: ['host', 'owner', 'repo'] },
}
