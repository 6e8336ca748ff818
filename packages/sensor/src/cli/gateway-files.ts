import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { At, GatewayConfig } from './gateway-config.ts'
import { loadPatternsFile } from './run-patterns.ts'
import { UsageError } from './usage-error.ts'
import { readText } from './yaml-config.ts'

/**
 * Reads what a configuration names as they are used later, so that a mistake in them is told with the key that names them,
 * by `--check` and before a reload changes anything. Throws UsageError.
 */
export function checkFiles(at: At, { tls, upstreams, redact }: GatewayConfig): void {
  if (tls !== undefined) checkCertificates(at('tls'), tls)
  for (const [name, upstream] of Object.entries(upstreams))
    if (upstream.tls !== undefined) checkCertificates(at('upstreams', name, 'tls'), upstream.tls)
  if (redact?.patterns !== undefined) loadPatternsFile(redact.patterns)
}

type Files = { [K in 'ca' | 'cert' | 'key']?: string | undefined }

function checkCertificates(where: string, files: Files): void {
  const contents: Partial<Record<keyof Files, string>> = {}
  for (const key of ['ca', 'cert', 'key'] as const) {
    const file = files[key]
    if (file !== undefined) contents[key] = readText(file)
  }
  try {
    // createSecureContext takes a `ca` without a certificate in it, and then trusts nobody.
    const { ca } = contents
    if (ca !== undefined && certificatesIn(ca) === 0) throw new Error('ca holds no certificate')
    createSecureContext(contents)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new UsageError(
      'AFD_CONFIG_INVALID',
      `${where}: the certificates cannot be used (${'code' in error ? String(error.code) : error.message})`,
      'Name PEM files, and the key that belongs to the certificate.',
    )
  }
}

const certificate = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g

/** Throws where one of them is none. */
function certificatesIn(pem: string): number {
  return Array.from(pem.matchAll(certificate), ([text]) => new X509Certificate(text)).length
}
