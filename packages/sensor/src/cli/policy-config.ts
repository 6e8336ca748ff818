import { resolve } from 'node:path'
import { z } from 'zod'
import { approvalsSchema, resolveApprovals } from './approvals-config.ts'
import { resolveSecretSource, secretSource } from './secret-source.ts'

const file = z.string().min(1)
const onError = z.enum(['deny', 'permit'])

/** The key `policy` of a configuration, in `gateway` and in `run`. */
export const policySchema = z
  .strictObject({
    mode: z.enum(['observe', 'enforce']).optional().describe('whether what is denied is stopped; default observe'),
    files: z.array(file).min(1).max(256).optional().describe('policies in Cedar; read again when they change'),
    schema: file.optional().describe('Cedar schema that the policies are checked against when they are read'),
    sha256: z
      .string()
      .regex(/^[A-Za-z0-9+/]{43}=$/, 'expected base64 of 32 bytes')
      .optional()
      .describe('only the set with this hash is taken'),
    feed: z
      .strictObject({
        file,
        key: z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'expected an Ed25519 public key, base64 of 32 bytes'),
      })
      .optional()
      .describe('policies from a signed control feed, in place of files'),
    authzen: z
      .strictObject({
        url: z.string().refine(isDecisionUrl, 'expected https://…, or http:// to this machine, without credentials'),
        token: secretSource.optional().describe('the bearer token that it asks for'),
        timeoutMs: z.int().min(1).max(60_000).optional().describe('default 2000'),
      })
      .optional()
      .describe('a decision point elsewhere, asked by OpenID AuthZEN 1.0, in place of files'),
    approvals: approvalsSchema
      .optional()
      .describe('who may approve a call that policies refuse for want of an approval'),
    onError: onError.optional().describe('what becomes of a call that cannot be judged; default deny'),
  })
  .refine(
    ({ files, feed, authzen }) => [files, feed, authzen].filter((each) => each !== undefined).length === 1,
    'expected one of files, feed and authzen',
  )
  .refine(({ authzen, approvals }) => authzen === undefined || approvals === undefined, {
    message: 'there are none with authzen: a decision point elsewhere does not say which denials they would lift',
    path: ['approvals'],
  })

export type PolicyConfig = z.infer<typeof policySchema>

/** The same with its files named from the root; `folder` is the configuration file's. */
export function resolvePolicy(config: PolicyConfig, folder: string): PolicyConfig {
  const { files, schema, feed, authzen, approvals } = config
  return {
    ...config,
    ...(files === undefined ? {} : { files: files.map((path) => resolve(folder, path)) }),
    ...(schema === undefined ? {} : { schema: resolve(folder, schema) }),
    ...(authzen?.token === undefined
      ? {}
      : { authzen: { ...authzen, token: resolveSecretSource(authzen.token, folder) } }),
    ...(approvals === undefined ? {} : { approvals: resolveApprovals(approvals, folder) }),
    ...(feed === undefined ? {} : { feed: { ...feed, file: resolve(folder, feed.file) } }),
  }
}

/** What is asked holds arguments: it goes in the clear nowhere but to this machine. */
function isDecisionUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname)
  return (protocol === 'https:' || (protocol === 'http:' && isHere)) && username === '' && password === ''
}
