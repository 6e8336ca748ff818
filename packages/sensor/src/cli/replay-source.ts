import { basename, dirname, resolve } from 'node:path'
import { z } from 'zod'
import type { OnError } from '../policy/decision-point.ts'
import { PolicyError } from '../policy/policy-error.ts'
import type { PolicySource } from '../policy/policy-set.ts'
import { openReplay, type Replay } from '../policy/replay.ts'
import { policySchema } from './policy-config.ts'
import { UsageError } from './usage-error.ts'
import { loadYamlConfig, readText } from './yaml-config.ts'

/** Where the policies are that recorded calls are to be decided by. */
export interface ReplayWish {
  /** A configuration of gateway or run; everything else in it is left aside. */
  config: string | undefined
  files: readonly string[]
  schema: string | undefined
  onError: OnError | undefined
}

const configSchema = z.looseObject({ policy: policySchema })
const remedy = 'docs/POLICY.md has the keys of policy.'

/** Throws UsageError where a file cannot be read, or the policies are none. */
export async function openWishedReplay(wish: ReplayWish): Promise<Replay> {
  const { source, onError = 'deny' } = readWish(wish)
  try {
    return await openReplay(source, onError)
  } catch (error) {
    if (error instanceof PolicyError) throw new UsageError(error.code, error.message, error.remedy)
    throw error
  }
}

function readWish({ config, files, schema, onError }: ReplayWish): { source: PolicySource; onError?: OnError } {
  const named = (path: string) => ({ name: basename(path), text: readText(path, sayMissing) })
  const read = (paths: readonly string[], schemaPath: string | undefined): PolicySource => ({
    policies: paths.map(named),
    schema: schemaPath === undefined ? undefined : named(schemaPath),
  })
  if (config === undefined) return { source: read(files, schema), ...(onError === undefined ? {} : { onError }) }
  const { policy } = loadYamlConfig(config, { schema: configSchema, remedy })
  if (policy.files === undefined)
    throw new UsageError(
      'AFD_USAGE',
      `${config}: its policies are in no files`,
      'Give the files of the policies themselves: a feed is taken over by those who follow it, and authzen decides elsewhere.',
    )
  const at = (path: string) => resolve(dirname(config), path)
  const decides = onError ?? policy.onError
  return {
    source: read(policy.files.map(at), policy.schema === undefined ? undefined : at(policy.schema)),
    ...(decides === undefined ? {} : { onError: decides }),
  }
}

function sayMissing(path: string): UsageError {
  return new UsageError(
    'AFD_CONFIG_UNREADABLE',
    `there is no policy ${resolve(path)}`,
    'Give policies in Cedar: docs/POLICY.md.',
  )
}
