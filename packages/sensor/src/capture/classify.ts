import type { Classification, ToolRef } from '@affidavit/evidence/record/header'
import type { CaptureLevel, Effect, EffectClass } from '@affidavit/evidence/record/kinds'
import { encodeResources, type Resource } from '@affidavit/evidence/record/resources-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import type { Classified, ReadResource, Target } from '../classify/classifier.ts'
import { topLevelDefault } from '../classify/levels.ts'
import { keepResourceName } from './accessed.ts'
import type { CaptureContext, RequestedDraft } from './context.ts'
import { bytesOf, type CapturedLine } from './line.ts'
import { type ScannedMessage, textOf } from './message.ts'
import { kindOf } from './methods.ts'
import type { ToolRegistry } from './tools/registry.ts'

/** What is known of a request's data and effect before it goes on. */
export interface RequestClass {
  fields: Pick<RequestedDraft, 'effect' | 'effectClass' | 'effectClaim' | 'level' | 'classification'>
  sections: Sections
}

const unclassified: Classification = { level: 'unclassified', tags: [] }
const empty = Buffer.from('{}')

/**
 * Asks the catalogue about a call of a tool or a reading of a resource. What a server claims of its own tool is written down
 * where the catalogue says nothing, and decides nothing: the fail mode of such a call is that of unknown effect.
 */
export function classifyRequest(
  context: CaptureContext,
  from: { line: CapturedLine; message: ScannedMessage; method: string },
  tool: { ref: ToolRef | undefined; tools: ToolRegistry },
): RequestClass {
  const target = targetOf(context, from)
  const found = target === undefined ? undefined : ask(context, target, from)
  if (found === 'failed')
    return { fields: { effect: 'unknown', level: 'metadata', classification: unclassified }, sections: {} }
  const level = keptLevel(context, found?.level)
  const claim = found?.effect === undefined ? claimOf(context, from.message, tool) : undefined
  return {
    fields: {
      effect: found?.effect === undefined ? 'unknown' : toEffect(found.effect),
      ...(found?.effect === undefined ? {} : { effectClass: found.effect }),
      ...(claim === undefined ? {} : { effectClaim: claim }),
      level,
      classification: found === undefined ? unclassified : classificationOf(found),
    },
    sections: found === undefined ? {} : sectionsOf({ ...context, level }, found),
  }
}

/** Data of the highest level is captured as metadata, whatever is captured else. */
export function keptLevel(
  { classifier, level }: Pick<CaptureContext, 'classifier' | 'level'>,
  of: string | undefined,
): CaptureLevel {
  if (of === undefined) return level
  return (classifier?.isTop(of) ?? of === topLevelDefault) ? 'metadata' : level
}

/** Destructive and sending calls fail as calls that write do. */
function toEffect(effect: EffectClass): Effect {
  return effect === 'read' ? 'read' : 'write'
}

function targetOf(
  { serverName, classifier }: CaptureContext,
  { message, method }: { message: ScannedMessage; method: string },
): Target | undefined {
  if (classifier === undefined) return undefined
  if (method === 'tools/call')
    return { server: serverName, tool: textOf(message.spans.get('params.name')) ?? '', resource: undefined }
  if (kindOf(method) !== 'read') return undefined
  return { server: serverName, tool: undefined, resource: textOf(message.spans.get('params.uri')) ?? '' }
}

function ask(
  { classifier, diagnose }: CaptureContext,
  target: Target,
  { line, message }: { line: CapturedLine; message: ScannedMessage },
): Classified | undefined | 'failed' {
  const span = message.spans.get(target.tool === undefined ? 'params' : 'params.arguments')
  try {
    return classifier?.classify(target, () => (span === undefined ? empty : bytesOf(line, span)))
  } catch (error) {
    // It costs what could be said of the data, and its values, which may be of any level; never the record.
    const kind = error instanceof Error ? error.name : typeof error
    diagnose('AFD_CLASSIFICATION_FAILED', `a call could not be classified (${kind}); it is captured as metadata`)
    return 'failed'
  }
}

function claimOf(
  { digest }: CaptureContext,
  { spans }: ScannedMessage,
  { ref, tools }: { ref: ToolRef | undefined; tools: ToolRegistry },
): EffectClass | undefined {
  const name = textOf(spans.get('params.name'))
  if (ref === undefined || name === undefined || !('name' in ref)) return undefined
  return tools.claimOf(name, ref.definition, digest)
}

function classificationOf({ level, dataTypes }: Classified): Classification {
  return { level: level ?? unclassified.level, tags: [...dataTypes] }
}

/** What does not depend on the arguments is the same in every call, and encoded once. */
const encodedFixed = new WeakMap<Classified, Uint8Array>()

function sectionsOf(context: CaptureContext, found: Classified): Sections {
  const known = encodedFixed.get(found)
  if (known !== undefined) return { resources: known }
  const resources = found.resources.map((resource) => keepResource(context, found, resource))
  const { omitted, basis, statements, statementsOmitted } = found
  const encoded = encodeResources({
    resources,
    omitted,
    ...(statements.length === 0 ? {} : { statements: [...statements] }),
    ...(statementsOmitted === 0 ? {} : { statementsOmitted }),
    basis,
  })
  if (resources.length === 0 && statements.length === 0) encodedFixed.set(found, encoded)
  return { resources: encoded }
}

function keepResource(context: CaptureContext, found: Classified, resource: ReadResource): Resource {
  const { type, source, access, label } = resource
  const { dataTypes, subjectClass } = label ?? found
  const level = label?.level
  return {
    type,
    name: keepResourceName(context, resource),
    dataTypes: [...dataTypes],
    ...(level === undefined ? {} : { level }),
    ...(subjectClass === undefined ? {} : { subjectClass }),
    ...(access === undefined ? {} : { access }),
    source,
  }
}
