/**
 * The transports of the official SDKs (@modelcontextprotocol/sdk 1.x, @modelcontextprotocol/server 2.x) by their shape:
 * nothing of an SDK is loaded here, so that the one a server brings is the only one there is.
 */

export type MessageHandler = (message: object, extra?: unknown) => void

export interface SdkTransport {
  onmessage?: MessageHandler | undefined
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  readonly sessionId?: string | undefined
  send(message: object, options?: unknown): Promise<void>
  /** Of the transport that lives for one HTTP exchange (2026-07-28); resolves with the answer. */
  handleMessage?(message: object, extra?: unknown): Promise<Response>
}

/** How the messages travel, as far as the transport tells. */
export type TransportKind = 'stdio' | 'http' | 'other'

/** Throws TypeError where the value cannot be a transport. */
export function parseTransport(value: unknown): SdkTransport {
  if (typeof value !== 'object' || value === null || !('send' in value) || typeof value.send !== 'function')
    throw new TypeError('what the server connects to has no send(): it is no transport of an MCP SDK')
  return value as SdkTransport
}

/** Whether the transport answers one HTTP exchange and is done. The deprecated SSE transport has a method of that name too. */
export function isExchange(transport: SdkTransport): boolean {
  return typeof transport.handleMessage === 'function' && !('handlePostMessage' in transport)
}

/**
 * What cannot be told apart from stdio is not called stdio: a session that is none would be claimed. Class names survive
 * in all builds of the SDKs; bundlers that shorten names keep the fields.
 */
export function kindOfTransport(transport: SdkTransport): TransportKind {
  if (isExchange(transport) || 'handleRequest' in transport || 'handlePostMessage' in transport) return 'http'
  const isStdio = transport.constructor.name.startsWith('Stdio') || '_stdin' in transport || '_wire' in transport
  return isStdio ? 'stdio' : 'other'
}

/**
 * Puts something of ours between a transport and a callback it is given, now or later. In place, for a server and its
 * author go on comparing and using the very transport they made. Accessors of the transport's own keep working.
 */
export function interceptCallback<K extends 'onmessage' | 'onclose'>(
  transport: SdkTransport,
  key: K,
  wrap: (callback: NonNullable<SdkTransport[K]>) => NonNullable<SdkTransport[K]>,
): void {
  const inherited = inheritedAccessor(transport, key)
  const given: SdkTransport[K] = transport[key]
  let own: SdkTransport[K]
  Object.defineProperty(transport, key, {
    configurable: true,
    enumerable: true,
    get: () => (inherited === undefined ? own : inherited.get?.call(transport)),
    set: (callback: SdkTransport[K]) => {
      const wrapped = callback === undefined || callback === null ? undefined : wrap(callback)
      if (inherited === undefined) own = wrapped
      else inherited.set?.call(transport, wrapped)
    },
  })
  if (given !== undefined) transport[key] = given
}

function inheritedAccessor(transport: object, key: string): PropertyDescriptor | undefined {
  for (let at: unknown = transport; typeof at === 'object' && at !== null; at = Object.getPrototypeOf(at)) {
    const descriptor = Object.getOwnPropertyDescriptor(at, key)
    if (descriptor !== undefined) return descriptor.set === undefined ? undefined : descriptor
  }
  return undefined
}
