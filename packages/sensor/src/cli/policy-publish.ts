import { sign } from 'node:crypto'
import { basename } from 'node:path'
import { RecordError } from '@affidavit/evidence/record/error'
import { type RiskSignal, riskKinds, riskLevels } from '@affidavit/evidence/record/risk'
import { encodeFeed, encodeFeedFile, encodeFeedMessage } from '@affidavit/evidence/wire/control-feed'
import { z } from 'zod'
import { systemLayer } from '../durable/layer.ts'
import { replace } from '../durable/write.ts'
import { loadCedar } from '../policy/cedar-engine.ts'
import { compileSet } from '../policy/compile.ts'
import { PolicyError } from '../policy/policy-error.ts'
import { readSigningKey, toRawKey } from './signing-key.ts'
import { UsageError } from './usage-error.ts'
import { loadYamlConfig, readText } from './yaml-config.ts'

export interface Publication {
  keyFile: string
  version: number
  files: readonly string[]
  schema: string | undefined
  risk: string | undefined
  out: string
}

/** Signs policies as a document of the control feed. Returns the public key, in the form of the configuration. */
export async function publishPolicies({ keyFile, version, files, schema, risk, out }: Publication): Promise<string> {
  const key = readSigningKey(keyFile)
  const named = (path: string) => ({ name: basename(path), text: readText(path) })
  const policies = files.map(named)
  const checked = schema === undefined ? undefined : named(schema)
  const signals = risk === undefined ? undefined : readRisk(risk)
  try {
    // No sensor would take it: then nobody should have to find out there.
    compileSet(await loadCedar(), { policies, schema: checked })
    const issued = new Date().toISOString()
    const line = encodeFeed({
      v: 1,
      version,
      issued,
      policies,
      ...(checked === undefined ? {} : { schema: checked }),
      ...(signals === undefined ? {} : { risk: signals }),
    })
    await replace(systemLayer, out, encodeFeedFile(line, sign(null, encodeFeedMessage(line), key)))
  } catch (error) {
    if (error instanceof PolicyError) throw new UsageError(error.code, error.message, error.remedy)
    if (error instanceof RecordError)
      throw new UsageError(
        'AFD_USAGE',
        error.message,
        'A feed holds at most 256 texts of 1 MiB and 4,096 signals of risk; docs/POLICY.md has their form.',
      )
    throw error
  }
  return toRawKey(key)
}

const name = z.string().min(1).max(256)
const about = {
  kind: z.enum(riskKinds),
  level: z.enum(riskLevels),
  until: z
    .string()
    .refine((text) => !Number.isNaN(Date.parse(text)), 'expected a time such as 2026-11-20T11:00:00Z')
    .transform((text) => new Date(text).toISOString()),
  reason: name.optional(),
}
const riskSchema = z
  .array(z.union([z.strictObject({ ...about, id: name }), z.strictObject({ ...about, digest: name })]))
  .max(4096)

/** A list in YAML. The feed's own form is stricter, and judges what comes out. */
function readRisk(path: string): RiskSignal[] {
  const said = loadYamlConfig(path, { schema: riskSchema, remedy: 'docs/POLICY.md has the form of such a list.' })
  return said.map(({ reason, ...rest }) => ({ ...rest, ...(reason === undefined ? {} : { reason }) }))
}
