import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import type { Catalogue } from '../classify/catalogue.ts'
import { catalogueSchema, resolveCatalogue } from './catalogue-config.ts'
import { diagnosticForms } from './diagnostics.ts'
import { authorizationSchema, resolveSecretFile, toGuardOptions } from './gateway-authorization.ts'
import { checkFiles } from './gateway-files.ts'
import { checkIngest, ingestSchema, resolveIngest } from './gateway-ingest.ts'
import { smallestConfig } from './gateway-options.ts'
import { checkPeers } from './gateway-peers.ts'
import { gatewayIdentitySchema, resolveIdentity, toIdentityTrust } from './identity-config.ts'
import { isLoopback, listenAddress, parseListen } from './listen-address.ts'
import { policySchema, resolvePolicy } from './policy-config.ts'
import { loadConfiguredCatalogue } from './run-catalogue.ts'
import { effects, levels } from './run-options.ts'
import { environmentSchema, postureSchema, resolveSituation } from './situation-config.ts'
import { directoriesOf } from './token-issuers.ts'
import { UsageError } from './usage-error.ts'
import { type ConfigShape, parseYamlConfig, placeOf, readText } from './yaml-config.ts'

const milliseconds = z.int().min(0).max(86_400_000).describe('milliseconds; 0: wait for ever')
const file = z.string().min(1)

const url = z.string().refine(isUpstreamUrl, 'expected http://… or https://… without credentials and fragment')
const hostName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'expected a host name in lower case, without port')

const upstreamSchema = z.strictObject({
  url: url.describe('the MCP endpoint of the server'),
  hosts: z.array(hostName).optional().describe('host names on which everything belongs to this upstream'),
  authorization: authorizationSchema.optional(),
  host: z
    .enum(['keep', 'upstream'])
    .optional()
    .describe("which Host the server sees: the client's (keep, the default) or that of url"),
  tls: z
    .strictObject({ ca: file.optional(), cert: file.optional(), key: file.optional() })
    .optional()
    .describe('PEM files: whom to trust, and the certificate to show'),
  timeouts: z
    .strictObject({
      connectMs: milliseconds.optional(),
      answerMs: milliseconds.optional(),
      bodyIdleMs: milliseconds.optional(),
    })
    .optional(),
})

export const gatewaySchema = z.strictObject({
  listen: listenAddress.optional().describe('HOST:PORT; default 127.0.0.1:7332'),
  plaintext: z
    .literal(true)
    .optional()
    .describe('listen without TLS where other machines reach it, because something in front ends TLS'),
  tls: z
    .strictObject({
      cert: file,
      key: file,
      clientCertificates: z
        .enum(['request', 'required'])
        .optional()
        .describe(
          'ask clients for a certificate, as identity.spiffe does by itself; required: refuse whoever shows no X.509-SVID of a trusted trust domain',
        ),
    })
    .optional()
    .describe('PEM files; read again when they change'),
  upstreams: z.record(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected a name of letters, digits, dots, dashes'),
    upstreamSchema,
  ),
  level: z.enum(levels).optional().describe('what is captured; default arguments'),
  failOpen: z
    .array(z.enum(effects))
    .optional()
    .describe('effect classes whose calls pass unrecorded, under a recorded gap, when they cannot be recorded'),
  catalogue: catalogueSchema.optional().describe('what tools and resources are: data, sensitivity, effect'),
  redact: z.strictObject({ patterns: file.optional() }).optional(),
  policy: policySchema.optional().describe('who may do what, and whether that is enforced (docs/POLICY.md)'),
  limits: z
    .strictObject({
      spoolBytes: z.int().min(1_048_576).optional(),
      sessionIdleMs: milliseconds.optional(),
      resumeGraceMs: milliseconds.optional(),
    })
    .optional(),
  diagnostics: z
    .enum(diagnosticForms)
    .optional()
    .describe('form of what is said on stderr: sentences (text, the default) or one JSON object a line'),
  drainMs: milliseconds.optional().describe('how long calls in flight may take to finish on SIGTERM; default 10000'),
  identity: gatewayIdentitySchema.optional().describe('whose word about callers is taken, for the record'),
  environment: environmentSchema.optional().describe('where the gateway runs, as far as the kernel does not tell'),
  posture: postureSchema.optional().describe('who says in what state the machine is'),
  ingest: ingestSchema.optional().describe('takes records of exchanges from other programs, and OTLP'),
})

export type GatewayConfig = z.infer<typeof gatewaySchema>
export type UpstreamConfig = z.infer<typeof upstreamSchema>

const shape: ConfigShape<GatewayConfig> = {
  schema: gatewaySchema,
  remedy: 'docs/GATEWAY.md has every key; docs/schema/gateway.schema.json lets an editor check the file.',
}

export const listenDefault = '127.0.0.1:7332'

/** A configuration file as it was read: what it says, its bytes for the record of changes, and what paths in it are relative to. */
export interface LoadedConfig {
  path: string
  text: string
  config: GatewayConfig
  /** As its files were read with it; undefined where none is configured. */
  catalogue: Catalogue | undefined
  /** What the directories say that give roles. */
  directories: string[]
}

/** Rejects with UsageError, which names line, key and remedy. Files that it names are read too: a mistake there should tell now. */
export async function loadGatewayConfig(path: string): Promise<LoadedConfig> {
  const text = readText(path, sayMissing)
  const folder = dirname(resolve(path))
  const config = resolveSituation(resolveFiles(parseYamlConfig(path, text, shape), folder), folder)
  const { host } = parseListen(config.listen ?? listenDefault) ?? { host: '' }
  if (config.tls === undefined && config.plaintext !== true && !isLoopback(host))
    throw new UsageError(
      'AFD_CONFIG_INVALID',
      `${placeOf(path, text, ['listen'])}: ${host} is reachable from other machines, and there is no tls`,
      'Give tls.cert and tls.key, listen on 127.0.0.1, or say plaintext: true where something in front ends TLS.',
    )
  const at = (...keys: string[]) => placeOf(path, text, keys)
  refuseSharedHosts(at, config)
  checkFiles(at, config)
  checkPeers(at, config)
  for (const { authorization } of Object.values(config.upstreams))
    if (authorization !== undefined) toGuardOptions(authorization, process.env)
  if (config.identity !== undefined) toIdentityTrust(config.identity, undefined, process.env)
  if (config.ingest !== undefined) checkIngest(at, config.ingest)
  const catalogue =
    config.catalogue === undefined
      ? undefined
      : await loadConfiguredCatalogue(config.catalogue, Object.keys(config.upstreams))
  return { path, text, config, catalogue, directories: directoriesIn(config).map((file) => readText(file)) }
}

/** Files of roles, whichever issuers name them. */
export function directoriesIn({ identity, upstreams }: GatewayConfig): string[] {
  const guarded = Object.values(upstreams).map(({ authorization }) =>
    authorization?.mode === 'resource' ? authorization.issuers : [],
  )
  return directoriesOf([...(identity?.issuers ?? []), ...guarded.flat()])
}

/** Nothing is wrong yet: whoever meets this begins, and needs a file more than the advice to check one. */
function sayMissing(path: string): UsageError {
  return new UsageError(
    'AFD_CONFIG_UNREADABLE',
    `there is no ${resolve(path)}`,
    "Begin with the smallest (docs/GATEWAY.md has every key), name another with --config, or let 'affidavit install' write one into the home folder.",
    `\n${smallestConfig}\n`,
  )
}

/** Names a place in the file. */
export type At = (...keys: string[]) => string

function refuseSharedHosts(at: At, { upstreams }: GatewayConfig): void {
  const owners = new Map<string, string>()
  for (const [name, { hosts = [] }] of Object.entries(upstreams))
    for (const host of hosts) {
      const other = owners.get(host)
      if (other !== undefined)
        throw new UsageError(
          'AFD_CONFIG_INVALID',
          `${at('upstreams', name, 'hosts')}: ${host} belongs to ${other} already`,
          'Give each host name to one upstream.',
        )
      owners.set(host, name)
    }
}

function resolveFiles(config: GatewayConfig, folder: string): GatewayConfig {
  const at = <K extends string>(files: Partial<Record<K, string | undefined>>): Partial<Record<K, string>> => {
    const found: Partial<Record<K, string>> = {}
    for (const key in files) {
      const path = files[key]
      if (path !== undefined) found[key] = resolve(folder, path)
    }
    return found
  }
  const upstreams = Object.entries(config.upstreams).map(([name, upstream]): [string, UpstreamConfig] => [
    name,
    {
      ...upstream,
      ...(upstream.tls === undefined ? {} : { tls: at(upstream.tls) }),
      ...(upstream.authorization === undefined
        ? {}
        : { authorization: resolveSecretFile(upstream.authorization, folder) }),
    },
  ])
  return {
    ...config,
    upstreams: Object.fromEntries(upstreams),
    ...(config.tls === undefined
      ? {}
      : { tls: { ...config.tls, cert: resolve(folder, config.tls.cert), key: resolve(folder, config.tls.key) } }),
    ...(config.identity === undefined ? {} : { identity: resolveIdentity(config.identity, folder) }),
    ...(config.redact === undefined ? {} : { redact: at(config.redact) }),
    ...(config.policy === undefined ? {} : { policy: resolvePolicy(config.policy, folder) }),
    ...(config.catalogue === undefined ? {} : { catalogue: resolveCatalogue(config.catalogue, folder) }),
    ...(config.ingest === undefined ? {} : { ingest: resolveIngest(config.ingest, folder) }),
  }
}

function isUpstreamUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, hash } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '' && hash === ''
}
