/** Why a server is left as it is. Codes stay the same across versions; sentences are for people. */
export const leftReasons = {
  managed: 'an administrator manages this file',
  malformed: 'it is no server that affidavit understands',
  written_twice: 'its name, or one of its members, is written twice',
  ambiguous: 'it names a command and a URL',
  blank_command: 'its command holds blanks; put arguments into args first',
  sandboxed: 'it runs in a sandbox, where affidavit could not write its records',
  debugged: 'a debugger starts it (dev.debug)',
  unknown_transport: 'its transport is none that affidavit knows',
  sse: 'it speaks the older HTTP+SSE transport, which the gateway does not relay',
  placeholder_url: 'its URL is filled in by the client when it connects',
  url_user: 'its URL holds a user name',
  not_http: 'its URL is not http or https',
  oauth: "it signs in with OAuth, which binds tokens to the server's own URL",
  maybe_oauth: 'it may sign in with OAuth, which the file does not tell; --probe asks it',
  gateway_unusable: "the gateway's configuration cannot take it",
  origin_unknown: 'the URL it had is recorded nowhere; put it back by hand',
} as const
export type LeftReason = keyof typeof leftReasons

export type Transport = 'stdio' | 'http' | 'sse' | 'unknown'

export type Verdict =
  | { state: 'covered'; by: 'run' | 'gateway' }
  | { state: 'wrap' }
  | { state: 'redirect'; url: URL }
  | { state: 'unwrap' }
  | { state: 'restore' }
  | { state: 'left'; reason: LeftReason }

/** What is known about the world beside a file. */
export interface Surroundings {
  /** Where the local gateway listens, e.g. `http://127.0.0.1:7332`. */
  gatewayOrigin: string
  /** What servers answered that were asked, by URL: whether they want OAuth. */
  wantsOAuth: ReadonlyMap<string, boolean>
}

export function left(reason: LeftReason): Verdict {
  return { state: 'left', reason }
}
