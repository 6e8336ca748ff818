import { isIP } from 'node:net'
import { z } from 'zod'

/** An address to listen on, as a configuration names it. */
export const listenAddress = z
  .string()
  .refine((text) => parseListen(text) !== undefined, 'expected HOST:PORT, such as 127.0.0.1:7332')

/** `HOST:PORT` or `[HOST]:PORT`. */
export function parseListen(text: string): { host: string; port: number } | undefined {
  const [, v6, name, port] = /^(?:\[([0-9a-fA-F:]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text) ?? []
  const host = v6 ?? name
  if (host === undefined || port === undefined || Number(port) > 65_535) return undefined
  if (v6 !== undefined && isIP(v6) !== 6) return undefined
  return { host, port: Number(port) }
}

/** Whether nobody on another machine reaches it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** As part of a URL. */
export function formatListen({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
