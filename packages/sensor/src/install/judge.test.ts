import { describe, expect, it } from 'vitest'
import { isUnparsable, parseDocument } from './document.ts'
import { judgeServer } from './judge.ts'
import { listServers } from './servers.ts'
import { findWrapped } from './wrapped.ts'

const gatewayOrigin = 'http://127.0.0.1:7332'

/** State and reason of one server, as the text of its entry has it. */
function judge(entry: string, wantsOAuth: [string, boolean][] = []): string {
  const document = parseDocument(Buffer.from(`{"mcpServers":{"s":${entry}}}`))
  if (isUnparsable(document)) throw new Error(document.reason)
  const [server] = listServers(document.root, [['mcpServers']])
  if (server === undefined) throw new Error('no server')
  const { verdict } = judgeServer(server, { gatewayOrigin, wantsOAuth: new Map(wantsOAuth) })
  return verdict.state === 'left' ? verdict.reason : verdict.state
}

describe('what becomes of a server', () => {
  it.each([
    ['{"command":"npx","args":["-y","x"]}', 'wrap'],
    ['{"command":"npx"}', 'wrap'],
    ['{"type":"stdio","command":"C:\\\\Program Files\\\\node.exe","args":[]}', 'wrap'],
    ['{"command":"npx","disabled":true,"dev":{"watch":"src/**"}}', 'wrap'],
    ['{"command":"npx -y x"}', 'blank_command'],
    ['{"command":"npx","sandboxEnabled":true}', 'sandboxed'],
    ['{"command":"node","args":[],"dev":{"debug":{"type":"node"}}}', 'debugged'],
    ['{"command":"npx","args":"-y x"}', 'malformed'],
    ['{"command":""}', 'malformed'],
    ['{"command":7}', 'malformed'],
    ['"npx"', 'malformed'],
    ['{}', 'unknown_transport'],
    ['{"type":"ws","url":"wss://x.example"}', 'unknown_transport'],
    ['{"command":"npx","url":"http://localhost:1/mcp"}', 'ambiguous'],
    ['{"command":"npx","command":"node"}', 'written_twice'],
  ])('%s: %s [IN-2] [IN-7]', (entry, expected) => expect(judge(entry)).toBe(expected))

  it.each([
    ['{"url":"http://localhost:3001/mcp"}', 'redirect'],
    ['{"type":"streamable-http","url":"http://[::1]:3001/mcp"}', 'redirect'],
    ['{"type":"http","url":"https://x.example/mcp","headers":{"Authorization":"Bearer x"}}', 'redirect'],
    ['{"url":"https://x.example/mcp?api_key=x"}', 'redirect'],
    ['{"url":"https://x.example/mcp","headersHelper":"/bin/token"}', 'redirect'],
    ['{"url":"https://x.example/mcp","headers":{"X-Api-Version":"1"}}', 'maybe_oauth'],
    ['{"url":"https://x.example/mcp"}', 'maybe_oauth'],
    ['{"url":"https://x.example/mcp","auth":{"CLIENT_ID":"x"}}', 'oauth'],
    ['{"url":"https://x.example/mcp","headers":{"Authorization":"x"},"oauth":{}}', 'oauth'],
    ['{"type":"sse","url":"https://x.example/sse"}', 'sse'],
    ['{"url":"http://localhost:3001/sse"}', 'sse'],
    [`{"url":"https://$${'{input:host}'}/mcp"}`, 'placeholder_url'],
    ['{"url":"https://me:pw@x.example/mcp"}', 'url_user'],
    ['{"url":"unix:///tmp/s.sock"}', 'not_http'],
    ['{"url":"no address"}', 'malformed'],
    ['{"url":7}', 'malformed'],
    ['{"url":"http://127.0.0.1:7332/mcp/s"}', 'covered'],
    ['{"url":"http://127.0.0.1:7332/other"}', 'redirect'],
  ])('%s: %s [IN-7]', (entry, expected) => expect(judge(entry)).toBe(expected))

  it('an answer decides about a server that may want OAuth [IN-15]', () => {
    const url = 'https://x.example/mcp'
    expect(judge(`{"url":"${url}"}`, [[url, true]])).toBe('oauth')
    expect(judge(`{"url":"${url}"}`, [[url, false]])).toBe('redirect')
  })

  it('a wrapped server is covered, whoever wrapped it and however [IN-4]', () => {
    for (const args of [
      ['affidavit', 'run', '--', 'npx'],
      ['-y', 'affidavit@0.1.0', 'run', '--server', 'x', '--level=full', '--', 'npx', '-y', 'y'],
      [
        '/usr/local/lib/node_modules/affidavit/bin/affidavit.js',
        'run',
        '--home',
        '/h',
        '--server',
        'x',
        '--',
        'cmd',
        '/c',
        'npx',
      ],
      ['-y', '@affidavit/sensor', 'run', '--collector', 'none', '--', 'npx'],
    ])
      expect(judge(JSON.stringify({ command: 'node', args }))).toBe('covered')
    expect(judge('{"command":"C:\\\\bin\\\\affidavit.cmd","args":["run","--","npx"]}')).toBe('covered')
  })

  it('what only looks like it is not [IN-12]', () => {
    for (const words of [
      ['docker', 'run', '--server', 'x', '--', 'image'],
      ['affidavit', 'run', '--server', 'x'],
      ['affidavit', 'run', '--server', 'x', '--'],
      ['affidavit', 'query', '--', 'x'],
      ['affidavit', 'run', '--unknown', 'x', '--', 'npx'],
      ['node', 'affidavit-tool.js', 'run', '--', 'x'],
      ['npx', 'tool', 'run', '--', 'affidavit'],
    ])
      expect(findWrapped(words)).toBeUndefined()
  })
})
