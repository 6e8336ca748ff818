import { parseAllDocuments } from 'yaml'
import { type Extracted, type Named, nothingNamed, type Parts, unreadable } from './named.ts'

const manifestCharsMax = 256 * 1024
const objectsMax = 256
/** As kubectl abbreviates them, and the plurals that are more than a final s. */
const kinds: Readonly<Record<string, string>> = {
  po: 'pod', deploy: 'deployment', svc: 'service', ns: 'namespace', cm: 'configmap', sts: 'statefulset', ds: 'daemonset',
  rs: 'replicaset', ing: 'ingress', ingresses: 'ingress', no: 'node', pv: 'persistentvolume', pvc: 'persistentvolumeclaim',
  sa: 'serviceaccount', netpol: 'networkpolicy', networkpolicies: 'networkpolicy', cj: 'cronjob', hpa: 'horizontalpodautoscaler',
  crd: 'customresourcedefinition', endpoints: 'endpoints', storageclasses: 'storageclass', sc: 'storageclass',
} // biome-ignore format: one list, read as one

/**
 * Objects as `kubernetes:NAMESPACE/KIND/NAME`, with the cluster before it where it is told; `-` stands for no namespace, `*` for
 * every object of a kind. Of `kind`, `name`, `namespace` and `cluster`, of text such as `deploy/web`, or of a manifest.
 */
export function extractKubernetes(parts: Parts): Extracted {
  const { text, manifest, kind, name } = parts
  const whole = manifest ?? (text !== undefined && /[\n{]/.test(text) ? text : undefined)
  if (whole !== undefined) return ofManifest(whole, parts)
  const [ofText, nameOfText] = (text ?? '').includes('/') ? splitKind(text ?? '') : [undefined, text]
  const [ofKind, nameOfKind] = (kind ?? '').includes('/') ? splitKind(kind ?? '') : [kind, undefined]
  const found = { kind: ofText ?? ofKind, name: nameOfText ?? nameOfKind ?? name }
  if (isEmpty(found.kind) && isEmpty(found.name)) return nothingNamed
  return { named: [nameObject({ ...parts, ...found })] }
}

const isEmpty = (text: string | undefined) => text === undefined || text === ''

/** `KIND/NAME`; a kind with its group is `deployments.apps`. */
function splitKind(text: string): [string, string] {
  const slash = text.indexOf('/')
  return [text.slice(0, slash), text.slice(slash + 1)]
}

interface ObjectName {
  kind?: string | undefined
  name?: string | undefined
  namespace?: string | undefined
  cluster?: string | undefined
}

function nameObject({ kind, name, namespace, cluster }: ObjectName): Named {
  const or = (text: string | undefined, none: string) => (text === undefined || text === '' ? none : text)
  const place = [or(namespace, '-'), plainKind(or(kind, '*')), or(name, '*')].join('/')
  return { type: 'other', name: `kubernetes:${cluster === undefined || cluster === '' ? '' : `${cluster}:`}${place}` }
}

function plainKind(kind: string): string {
  const [lower = ''] = kind.toLowerCase().split('.')
  return kinds[lower] ?? lower.replace(/(?<=[a-z]{3})(?<!s)s$/, '')
}

function ofManifest(text: string, parts: Parts): Extracted {
  if (text.length > manifestCharsMax) return unreadable('manifest_unread')
  const named: Named[] = []
  const documents = parseAllDocuments(text)
  if (!Array.isArray(documents)) return nothingNamed
  for (const document of documents) {
    if (document.errors.length > 0) return { named, problem: 'manifest_unreadable' }
    const object = toJs(document)
    if (object === undefined) return { named, problem: 'manifest_unreadable' }
    const items = memberOf(object.value, 'items')
    const objects: unknown[] = Array.isArray(items) ? items : [object.value]
    for (const item of objects) {
      if (named.length >= objectsMax) return { named, problem: 'manifest_unread' }
      const name = ofObject(item, parts)
      if (name !== undefined) named.push(name)
    }
  }
  return { named }
}

function toJs(document: { toJS: (options: { maxAliasCount: number }) => unknown }): { value: unknown } | undefined {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) }
  } catch (error) {
    // Aliases that would unfold without end.
    if (error instanceof ReferenceError || error instanceof RangeError) return undefined
    throw error
  }
}

function ofObject(object: unknown, { namespace, cluster }: Parts): Named | undefined {
  const kind = textAt(object, 'kind')
  if (kind === undefined) return undefined
  const metadata = memberOf(object, 'metadata')
  const own = textAt(metadata, 'namespace')
  return nameObject({
    kind,
    name: textAt(metadata, 'name') ?? textAt(metadata, 'generateName'),
    namespace: own ?? namespace,
    cluster,
  })
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined
}

function textAt(value: unknown, key: string): string | undefined {
  const member = memberOf(value, key)
  return typeof member === 'string' ? member : undefined
}
