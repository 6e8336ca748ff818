import type { Node } from 'jsonc-parser'
import { memberOf, membersOf, textOf } from './document.ts'
import { judgeUrl } from './remote.ts'
import type { Server } from './servers.ts'
import { left, type Surroundings, type Transport, type Verdict } from './verdict.ts'
import { commandLineOf, findWrapped } from './wrapped.ts'

export interface Judged {
  transport: Transport
  verdict: Verdict
}

/** Decides what becomes of one server. What cannot be wrapped without a risk to its calls is left, with the reason. */
export function judgeServer(server: Server, surroundings: Surroundings): Judged {
  const entry = server.member.value
  const transport = readTransport(entry)
  return { transport, verdict: judge(server, transport, surroundings) }
}

function judge(server: Server, transport: Transport, surroundings: Surroundings): Verdict {
  const entry = server.member.value
  if (entry.type !== 'object') return left('malformed')
  if (server.isTwice || hasTwice(entry)) return left('written_twice')
  if (memberOf(entry, 'command') !== undefined && memberOf(entry, 'url') !== undefined) return left('ambiguous')
  if (transport === 'stdio') return judgeCommand(entry)
  if (transport === 'sse') return left('sse')
  return transport === 'http' ? judgeUrl(entry, surroundings) : left('unknown_transport')
}

function hasTwice(entry: Node): boolean {
  const names = membersOf(entry).map(({ name }) => name)
  return new Set(names).size < names.length
}

const httpTypes = new Set(['http', 'streamable-http', 'streamablehttp', 'streamable_http'])

/** As clients have it: `type` decides; without it a command means stdio and a URL means HTTP. */
function readTransport(entry: Node): Transport {
  const named = memberOf(entry, 'type') ?? memberOf(entry, 'transport')
  const type = textOf(named?.value)?.toLowerCase()
  if (type === 'stdio' || type === 'sse') return type
  if (type !== undefined && httpTypes.has(type)) return 'http'
  if (named !== undefined) return 'unknown'
  if (memberOf(entry, 'command') !== undefined) return 'stdio'
  return memberOf(entry, 'url') === undefined ? 'unknown' : 'http'
}

function judgeCommand(entry: Node): Verdict {
  const args = memberOf(entry, 'args')
  const words = commandLineOf(entry)
  const [command = ''] = words ?? []
  if (words === undefined || command === '' || (args !== undefined && args.value.type !== 'array'))
    return left('malformed')
  if (findWrapped(words) !== undefined) return { state: 'covered', by: 'run' }
  if (memberOf(entry, 'sandboxEnabled')?.value.value === true) return left('sandboxed')
  if (memberOf(memberOf(entry, 'dev')?.value, 'debug') !== undefined) return left('debugged')
  // A path may hold blanks. Anything else with blanks is a line for a shell, which some clients start and `run` does not.
  return /\s/.test(command) && !/[\\/]/.test(command) ? left('blank_command') : { state: 'wrap' }
}
