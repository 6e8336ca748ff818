import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder, startCli, writeConfig } from '../gateway/harness/cli.ts'
import { serve } from '../gateway/harness/serve.ts'
import { collect, runCommand } from '../tamper/build-home.ts'

const idOf = (call: unknown) => (typeof call === 'object' && call !== null && 'id' in call ? String(call.id) : '')

/** Answers every request with status 418 and no JSON. */
function startTeapot(): Promise<string> {
  return serve((request, response) => {
    request.resume()
    response.writeHead(418, { 'content-type': 'text/plain' }).end('short and stout')
  })
}

it('what HTTP brings is in tables, lines, CSV and JSON [VA-11]', async () => {
  const folder = makeFolder()
  const home = join(folder, 'home')
  const teapot = await startTeapot()
  const config = writeConfig(
    folder,
    [
      'listen: 127.0.0.1:0',
      'upstreams:',
      `  teapot: { url: "${teapot}" }`,
      '  locked:',
      `    url: "${teapot}"`,
      '    authorization:',
      '      mode: resource',
      '      resource: http://127.0.0.1:7332/mcp/locked',
      '      issuers: [{ issuer: "http://127.0.0.1:9" }]',
      '      upstream: { grant: client-credentials, tokenEndpoint: "http://127.0.0.1:9/token", clientId: a, clientSecret: { env: SECRET } }',
      '',
    ].join('\n'),
  )
  const gateway = await startCli(['gateway', '--config', config, '--home', home, '--collector', 'none'], {
    SECRET: 'not-a-secret-but-long-enough',
  })
  const post = (upstream: string, headers: Record<string, string>) =>
    fetch(`${gateway.base}/mcp/${upstream}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    })
  await post('teapot', { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' })
  await post('locked', { authorization: 'Bearer not.a.token-of-anybody-at-all' })
  gateway.process.kill('SIGTERM')
  await gateway.exit
  collect(home)
  const at = (...argv: string[]) => runCommand([...argv, '--home', home]).stdout
  expect(at('query')).toMatch(/tools\/list .* transport_error 418 /)
  expect(at('tail', '-n', '30')).toMatch(/teapot +tools\/list +transport_error +HTTP 418, /)
  expect(at('tail', '-n', '30')).toMatch(/teapot +violation +header_mismatch +to-server, 46 B/)
  expect(at('tail', '-n', '30')).toMatch(/locked +auth +refused +token_malformed/)
  const [call] = at('query', '--json')
    .split('\n')
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line))
  const port = new URL(teapot).port
  expect(call).toMatchObject({
    vantage: 'gateway',
    fields: {
      status: { value: { httpStatus: 418 } },
      correlation: { value: { network: [{ peer: 'client' }, { peer: 'server', remotePort: Number(port) }] } },
    },
  })
  const [title = '', row = ''] = at('query', '--csv').split('\r\n')
  const cells = row.split(',')
  const cellOf = (name: string) => cells.at(title.split(',').indexOf(name) - title.split(',').length)
  expect([cellOf('http_status'), cellOf('server_address')]).toEqual(['418', `127.0.0.1:${port}`])
  const leaf = /auth .*(leaf:\d+)/.exec(at('tail', '-n', '30'))?.[1] ?? ''
  expect(at('show', leaf)).toMatch(/"code":"token_malformed".*"event":"refused"/)
  expect(at('show', idOf(call))).toMatch(
    /correlation .*tcp from client 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+, tcp from 127\.0\.0\.1:\d+ to server/,
  )
}, 60_000)
