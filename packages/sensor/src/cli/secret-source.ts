import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { UsageError } from './usage-error.ts'

/** Where a configuration has a secret from. */
export const secretSource = z.union(
  [
    z.strictObject({
      env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable'),
    }),
    z.strictObject({ file: z.string().min(1) }),
  ],
  'must be { env: NAME } or { file: PATH }: a secret has no place in a configuration file',
)

export type SecretSource = z.infer<typeof secretSource>

const secretBytesMax = 4096

/** The same source with its file named from the root; `folder` is the configuration file's. */
export function resolveSecretSource(source: SecretSource, folder: string): SecretSource {
  return 'file' in source ? { file: resolve(folder, source.file) } : source
}

/** `what` it is, for the message. Throws UsageError `AFD_SECRET_UNREADABLE`. */
export function readSecret(source: SecretSource, env: NodeJS.ProcessEnv, what: string): string {
  const unreadable = (problem: string, remedy: string) =>
    new UsageError('AFD_SECRET_UNREADABLE', `${what}: ${problem}`, remedy)
  if ('env' in source) {
    const value = env[source.env] ?? ''
    if (value === '') throw unreadable(`the environment variable ${source.env} is not set`, 'Set it.')
    return value
  }
  const path = source.file
  const value = readSecretFile(path, unreadable).replace(/\r?\n$/, '')
  if (value === '') throw unreadable(`${path} is empty`, `Write the ${what} into it.`)
  if (value.length > secretBytesMax) throw unreadable(`${path} is too long for a secret`, 'Check its path.')
  return value
}

function readSecretFile(path: string, unreadable: (problem: string, remedy: string) => UsageError): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw unreadable(`${path} cannot be read (${code})`, 'Check its path and permissions.')
  }
}
