import type { Purpose, PurposeStatement } from '@affidavit/evidence/record/purpose-section'
import { clipText } from '@affidavit/evidence/record/text'
import { type JsonObject, type Redact, readFirst } from './meta-keys.ts'

const statementBytesMax = 4096

/**
 * `_meta` keys in which clients declare what a call is for; of each kind the first that is there is taken. The specification
 * reserves no key for it. Those of `affidavit/` are ours; `vscode.requestId` is the chat request that VS Code serves, and
 * `turn_id` of `x-codex-turn-metadata` the turn of Codex. The bare words are what frameworks pass through unnamed.
 */
const purposeKeys: readonly { kind: PurposeStatement['kind']; keys: readonly string[] }[] = [
  { kind: 'task', keys: ['affidavit/task', 'affidavit/purpose', 'declaredTask', 'task', 'purpose'] },
  { kind: 'intent', keys: ['affidavit/user-intent', 'userIntent', 'user_intent', 'intent'] },
  { kind: 'reason', keys: ['affidavit/reason', 'invocationReason', 'invocation_reason', 'reason', 'rationale'] },
  {
    kind: 'turn',
    keys: ['affidavit/turn', 'vscode.requestId', 'x-codex-turn-metadata#turn_id', 'turnId', 'turn_id'],
  },
]

/** All that `_meta` declares of the purpose. `redact` is applied before anything is cut: half a secret looks like none. */
export function readPurpose(meta: JsonObject, redact: Redact): Purpose | undefined {
  const [first, ...more] = purposeKeys.flatMap(({ kind, keys }): PurposeStatement[] => {
    const found = readFirst(meta, keys)
    if (found === undefined) return []
    const statement = clipText(redact(found.text), statementBytesMax)
    return statement === '' ? [] : [{ kind, statement, source: `_meta.${found.key}` }]
  })
  if (first === undefined) return undefined
  return { ...first, assurance: 'claimed', ...(more.length === 0 ? {} : { more }) }
}
