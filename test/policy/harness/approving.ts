import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { readSigningKey, toRawKey } from '../../../packages/sensor/src/cli/signing-key.ts'
import { makeFolder, oneUpstream, type Running, startCli, writeConfig } from '../../gateway/harness/cli.ts'
import { answerJson, ask, bodyOf, message, result } from '../../gateway/harness/gatewayed.ts'
import { listenUntilEnd } from '../../gateway/harness/serve.ts'

/** Nobody drops anything alone. */
export const twoPeople = `
@id("all") permit(principal, action, resource);
@id("two-people") @reason("Two people drop things.") @obligation("approval_required")
forbid(principal, action in Action::"tools/call", resource) when { resource.name == "drop" };`

/** A key as somebody makes it who reads the manual, and its public half. */
export function makeKey(folder: string, name: string): { file: string; key: string } {
  const file = join(folder, `${name}.key`)
  execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', file])
  return { file, key: toRawKey(readSigningKey(file)) }
}

export interface Approving {
  folder: string
  home: string
  maria: { file: string; key: string }
  config: string
  /** Names of the tools that the server was asked for. */
  served: string[]
  start(): Promise<Running>
}

/** A server of which `drop` takes two people, and what a gateway before it is started with. */
export async function openApproving(
  more: { mode?: string; terms?: string; approvals?: string } = {},
): Promise<Approving> {
  const folder = makeFolder()
  const maria = makeKey(folder, 'maria')
  writeFileSync(join(folder, 'p.cedar'), twoPeople)
  const served: string[] = []
  const port = await listenUntilEnd(
    createServer(async (request, response) => {
      const { id, params } = JSON.parse(await bodyOf(request))
      served.push(params?.name)
      answerJson(response, result(id))
    }),
  )
  const approvals = more.approvals ?? `approvers: [{ id: maria, key: ${maria.key}, alsoKnownAs: [maria-agent] }]`
  const policy = `policy:
  mode: ${more.mode ?? 'enforce'}
  files: [p.cedar]
  approvals:
    ${approvals}
    ${more.terms ?? ''}
`
  const config = writeConfig(folder, oneUpstream(`http://127.0.0.1:${port}/mcp`, policy))
  const home = join(folder, 'home')
  return {
    folder,
    home,
    maria,
    config,
    served,
    start: () => startCli(['gateway', '--config', config, '--home', home, '--collector', 'none']),
  }
}

export async function end(gateway: Running): Promise<void> {
  gateway.process.kill('SIGTERM')
  await gateway.exit
}

const version = '2026-07-28'

/** A call of the modern era, by an agent that names itself. */
export async function drop(gateway: Running, args: object = { table: 'logs' }, agent = 'bot', name = 'drop') {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientInfo': { name: agent, version: '1' },
  }
  const { body } = await ask(`${gateway.base}/mcp/one`, {
    headers: { 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': name },
    body: message(1, 'tools/call', { name, arguments: args, _meta }),
  })
  return JSON.parse(body.toString())
}
