import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer as createSecureServer, request as requestSecurely } from 'node:https'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { smallestConfig } from '../../packages/sensor/src/cli/gateway-options.ts'
import { describeGatewayConfig } from '../../packages/sensor/src/cli/gateway-schema.ts'
import { collectCalls, makeFolder, oneUpstream, runCli, startCli, writeConfig } from './harness/cli.ts'
import { answerJson, ask, bodyOf, call, event, openStream, result } from './harness/gatewayed.ts'
import { listenUntilEnd, serve } from './harness/serve.ts'

const echo: RequestListener = async (request, response) => {
  const { id, params } = JSON.parse(await bodyOf(request))
  if (params?.name === 'slow') setTimeout(() => answerJson(response, result(id)), 800)
  else if (params?.name !== 'never') answerJson(response, result(id))
}

const gatewayArgs = (folder: string, path: string) => [
  'gateway', '--config', path, '--home', join(folder, 'home'), '--collector', 'none',
] // biome-ignore format: one list

/** A certificate authority, and a certificate of it for 127.0.0.1, as files. */
function makeCertificates(folder: string, name: string): { ca: string; cert: string; key: string } {
  const at = (file: string) => join(folder, `${name}-${file}`)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  openssl('req', '-x509', ...ec, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', `/CN=${name} CA`)
  openssl('req', ...ec, '-keyout', at('key.pem'), '-out', at('csr'), '-subj', `/CN=${name}`)
  writeFileSync(at('ext'), 'subjectAltName=IP:127.0.0.1\n')
  openssl('x509', '-req', '-in', at('csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial',
    '-days', '2', '-extfile', at('ext'), '-out', at('cert.pem')) // biome-ignore format: one command
  return { ca: at('ca.pem'), cert: at('cert.pem'), key: at('key.pem') }
}

it('the published JSON Schema is what the program takes [GW-29]', () => {
  const published = readFileSync(join(import.meta.dirname, '../../docs/schema/gateway.schema.json'), 'utf8')
  expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(describeGatewayConfig())))
})

it('up runs gateway and collector, each in its own process, and ends both [GW-31]', async () => {
  const folder = makeFolder()
  const home = join(folder, 'home')
  const path = writeConfig(folder, oneUpstream(await serve(echo), 'drainMs: 2000\n'))
  const running = await startCli(['up', '--config', path, '--home', home])
  await ask(`${running.base}/mcp/one`, { body: call(1) })
  await expect
    .poll(async () => (await runCli(['query', '--home', home, '--json'])).out, { timeout: 30_000, interval: 500 })
    .toContain('"outcome":"success"')
  const { pid: collector } = JSON.parse(readFileSync(join(home, 'run/collector.json'), 'utf8'))
  expect(collector).not.toBe(running.process.pid)
  const open = ask(`${running.base}/mcp/one`, { body: call(2, 'never') }).catch((error: unknown) => error)
  await new Promise((resolve) => setTimeout(resolve, 200))
  running.process.kill('SIGINT')
  await running.untilSaid('AFD_DRAINING')
  running.process.kill('SIGINT')
  await open
  expect(await running.exit).toEqual({ code: 0, signal: null })
  expect(() => process.kill(collector, 0)).toThrow('ESRCH')
  await expect(ask(`${running.base}/mcp/one`, { body: call(1) })).rejects.toThrow('ECONNREFUSED')
}, 90_000)

it('a gateway whose up was killed ends too, and lets the port go [GW-31]', async () => {
  const folder = makeFolder()
  const text = oneUpstream(await serve(echo))
  const running = await startCli(['up', '--config', writeConfig(folder, text), '--home', join(folder, 'home')])
  expect((await ask(`${running.base}/mcp/one`, { body: call(1) })).status).toBe(200)
  running.process.kill('SIGKILL')
  await running.exit
  await expect
    .poll(() => ask(`${running.base}/healthz`, { method: 'GET' }).catch((error: Error) => error.message), {
      timeout: 15_000,
      interval: 200,
    })
    .toMatch('ECONNREFUSED')
}, 60_000)

describe('the process', () => {
  it('on SIGTERM calls in flight finish, those that do not are recorded as cut, and the stream is closed [GW-23]', async () => {
    const folder = makeFolder()
    const url = await serve(echo)
    const running = await startCli(
      gatewayArgs(folder, writeConfig(folder, oneUpstream(url, 'drainMs: 2000\ndiagnostics: json\n'))),
    )
    const one = `${running.base}/mcp/one`
    await ask(one, { body: call(0) })
    const slow = ask(one, { body: call(1, 'slow') })
    const never = openStream(one, { body: call(2, 'never') }).catch((error: Error) => error.message)
    await new Promise((resolve) => setTimeout(resolve, 300))
    running.process.kill('SIGTERM')
    expect((await slow).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await expect(ask(one, { body: call(3) })).rejects.toThrow('ECONNREFUSED')
    expect(await never).toContain('socket hang up')
    expect(await running.exit).toEqual({ code: 0, signal: null })
    const calls = await collectCalls(join(folder, 'home'))
    expect(calls.map(({ fields }) => fields.status.value.outcome).sort()).toEqual([
      'success',
      'success',
      'transport_error',
    ])
    const [first = ''] = running.errors().split('\n')
    expect(JSON.parse(first)).toMatchObject({
      code: 'AFD_LISTENING',
      time: expect.any(String),
      message: expect.any(String),
    })
    const verified = await runCli(['verify', '--home', join(folder, 'home')])
    expect(verified.code).toBe(0)
  })

  it('a changed configuration takes effect without dropping streams; a bad one changes nothing [GW-24]', async () => {
    const folder = makeFolder()
    const one = await serve(async (request, response) => {
      await bodyOf(request)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(event({ jsonrpc: '2.0', method: 'notifications/message', params: { n: 1 } }))
      setTimeout(
        () => response.write(event({ jsonrpc: '2.0', method: 'notifications/message', params: { n: 2 } })),
        4000,
      )
    })
    const two = await serve(echo)
    const path = writeConfig(folder, oneUpstream(one))
    const running = await startCli(gatewayArgs(folder, path))
    const stream = await openStream(`${running.base}/mcp/one`, {
      method: 'GET',
      headers: { accept: 'text/event-stream' },
    })
    await stream.until('"n":1')
    expect((await ask(`${running.base}/mcp/two`, { body: call(1) })).status).toBe(404)
    // Picked up by itself within a second or two.
    appendFileSync(path, `  two:\n    url: ${two}\n`)
    for (let i = 0; i < 50; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      if ((await ask(`${running.base}/mcp/two`, { body: call(1) })).status === 200) break
    }
    expect((await ask(`${running.base}/mcp/two`, { body: call(2) })).status).toBe(200)
    writeFileSync(path, `${oneUpstream(one)}  three:\n    uri: ${two}\n`)
    running.process.kill('SIGHUP')
    await running.untilSaid('AFD_CONFIG_INVALID')
    expect(running.errors()).toMatch(/line 6: upstreams\.three\.\w+: .*docs\/GATEWAY\.md/)
    expect((await ask(`${running.base}/mcp/two`, { body: call(3) })).status).toBe(200)
    await stream.until('"n":2')
    stream.abort()
    running.process.kill('SIGTERM')
    await running.exit
    await runCli(['collector', '--home', join(folder, 'home'), '--idle-exit-ms', '200'])
    const { out } = await runCli(['tail', '--home', join(folder, 'home'), '--json', '--lines', '1000'])
    const changes = out.split('\n').filter((line) => line.includes('"change"') || line.includes('config'))
    expect(changes.length).toBeGreaterThanOrEqual(2)
  })

  it('mistakes name line, key and remedy, with a stable code and exit code 2 [GW-24]', async () => {
    const folder = makeFolder()
    const check = async (text: string) => {
      const { code, err } = await runCli([
        'gateway',
        '--check',
        '--config',
        writeConfig(folder, text),
        '--home',
        folder,
      ])
      expect(code).toBe(2)
      return err
    }
    expect(await check('upstreams:\n  one:\n    url: ftp://x/\n')).toMatch(
      /line 3: upstreams\.one\.url: .*AFD_CONFIG_INVALID/s,
    )
    expect(await check('upstreams: {}\nlisten: 10.0.0.1:80\n')).toMatch(
      /line 2: listen: .*no tls.*plaintext.*AFD_CONFIG_INVALID/s,
    )
    expect(await check('upstreams: {}\nlitsen: x\n')).toMatch(/line 2: litsen: there is no such key/)
    expect(await check('upstream: {}\n')).toMatch(/line 1: upstream: there is no such key/)
    expect(await check('upstreams:\n  one: http://x/\n')).toMatch(/line 2: upstreams\.one: expected keys with values/)
    expect(await check('upstreams:\n  one: {}\n')).toMatch(/line 2: upstreams\.one\.url: is missing/)
    writeFileSync(join(folder, 'no.pem'), 'no certificate')
    const tls = 'upstreams: {}\ntls: { cert: no.pem, key: no.pem }\n'
    expect(await check(tls)).toMatch(/tls: the certificates cannot be used .*AFD_CONFIG_INVALID/s)
    const upstreamCa = 'upstreams:\n  one:\n    url: https://x/\n    tls: { ca: no.pem }\n'
    expect(await check(upstreamCa)).toMatch(
      /upstreams\.one\.tls: the certificates cannot be used \(ca holds no certificate\).*AFD_CONFIG_INVALID/s,
    )
    expect(await check('upstreams: {}\nredact: { patterns: none.yaml }\n')).toMatch(
      /none\.yaml.*AFD_CONFIG_UNREADABLE/s,
    )
    expect(await check('upstreams: [\n')).toMatch(/not YAML/)
    const shared = ['a', 'b'].map((name) => `  ${name}:\n    url: http://x/mcp\n    hosts: [x.test]\n`).join('')
    expect(await check(`upstreams:\n${shared}`)).toMatch(/line 7: upstreams\.b\.hosts: x\.test belongs to a already/)
    const misspelt = await runCli(['gateway', '--confg', 'x', '--home', folder])
    expect(misspelt).toMatchObject({ code: 2, err: expect.stringContaining("no option '--confg'") })
    const good = await runCli([
      'gateway',
      '--check',
      '--config',
      writeConfig(folder, oneUpstream('http://x/mcp')),
      '--home',
      folder,
    ])
    expect(good).toMatchObject({ code: 0, out: expect.stringContaining('good, 1 upstream') })
  })

  it.each(['gateway', 'up'])(
    '%s without a configuration says where it looked and what to begin with [GW-32]',
    async (command) => {
      const folder = makeFolder()
      const home = join(folder, 'home')
      const inHome = await runCli([command, '--home', home])
      expect(inHome).toMatchObject({ code: 2, out: '' })
      const [sentence = '', ...sample] = inHome.err.split('\n')
      expect(sentence).toMatch(/^affidavit: there is no .*--config.*affidavit install.*\[AFD_CONFIG_UNREADABLE\]$/)
      expect(sentence).toContain(join(home, 'affidavit.yaml'))
      expect(existsSync(home)).toBe(false)
      const path = writeConfig(folder, sample.join('\n'))
      const pasted = await runCli(['gateway', '--check', '--config', path])
      expect(pasted).toMatchObject({ code: 0, out: expect.stringContaining('good, 1 upstream') })
      const elsewhere = await runCli([command, '--config', 'none/such.yaml', '--home', folder])
      expect(elsewhere).toMatchObject({ code: 2, err: expect.stringContaining(resolve('none/such.yaml')) })
    },
  )

  it('a configuration that is there and cannot be read is said to be that [GW-32]', async () => {
    const folder = makeFolder()
    for (const command of ['gateway', 'up']) {
      const { code, err } = await runCli([command, '--config', folder, '--home', join(folder, 'home')])
      expect(code).toBe(2)
      expect(err).toMatch(
        /^affidavit: .* cannot be read \(EISDIR\)\. Check its path and permissions\. \[AFD_CONFIG_UNREADABLE\]\n$/,
      )
    }
  })

  it('the smallest configuration is the same in the help and in the documents [GW-32]', async () => {
    const inDocuments = ['docs/GATEWAY.md', 'README.md'].map((path) =>
      readFileSync(join(import.meta.dirname, '../..', path), 'utf8'),
    )
    for (const page of inDocuments) expect(page).toContain(`${smallestConfig}\n\`\`\``)
    const { out } = await runCli(['gateway', '--help'])
    expect(out.replaceAll(/^ {2}/gm, '')).toContain(smallestConfig)
  })

  it('serves TLS, takes over a renewed certificate, and shows its own to an upstream that demands one [GW-25]', async () => {
    const folder = makeFolder()
    const first = makeCertificates(folder, 'first')
    const second = makeCertificates(folder, 'second')
    const upstream = createSecureServer(
      { cert: readFileSync(first.cert), key: readFileSync(first.key), ca: readFileSync(first.ca), requestCert: true },
      echo,
    )
    const url = `https://127.0.0.1:${await listenUntilEnd(upstream)}/mcp`
    const tls = `    tls: { ca: ${first.ca}, cert: ${first.cert}, key: ${first.key} }\n`
    const files = { cert: join(folder, 'served.pem'), key: join(folder, 'served.key') }
    writeFileSync(files.cert, readFileSync(first.cert))
    writeFileSync(files.key, readFileSync(first.key))
    const path = writeConfig(folder, `${oneUpstream(url, tls)}tls: { cert: served.pem, key: served.key }\n`)
    const running = await startCli(gatewayArgs(folder, path))
    const post = (ca: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const options = {
          method: 'POST',
          ca: readFileSync(ca),
          agent: false,
          headers: { 'content-type': 'application/json' },
        }
        const outgoing = requestSecurely(`${running.base}/mcp/one`, options, (incoming) => {
          incoming.resume().on('end', () => resolve(incoming.statusCode ?? 0))
        })
        outgoing.on('error', reject)
        outgoing.end(call(1))
      })
    expect(await post(first.ca)).toBe(200)
    writeFileSync(files.key, readFileSync(second.key))
    writeFileSync(files.cert, readFileSync(second.cert))
    running.process.kill('SIGHUP')
    await expect.poll(() => post(second.ca).catch(() => 0), { timeout: 5000 }).toBe(200)
    await expect(post(first.ca)).rejects.toThrow(/certificate/)
  })

  it('/readyz says no where the spool cannot write, and yes again; /healthz and /metrics answer [GW-26]', async () => {
    const folder = makeFolder()
    const url = await serve(echo)
    const running = await startCli(gatewayArgs(folder, writeConfig(folder, oneUpstream(url))))
    const get = (path: string) => ask(`${running.base}${path}`, { method: 'GET' })
    expect((await get('/healthz')).status).toBe(200)
    expect((await get('/readyz')).status).toBe(200)
    await ask(`${running.base}/mcp/one`, { body: call(1) })
    const metrics = (await get('/metrics')).body.toString()
    expect(metrics).toMatch(/affidavit_records_total\{kind="call",result="recorded"\} 2/)
    expect(metrics).toMatch(/affidavit_outcomes_total\{kind="call",outcome="success"\} 1/)
    expect(metrics).toMatch(/affidavit_ready 1/)
    // The stream's file is gone: nothing may look like success any more, until a new stream can be opened.
    rmSync(join(folder, 'home', 'spool'), { recursive: true })
    writeFileSync(join(folder, 'home', 'spool'), 'in the way')
    await expect.poll(async () => (await get('/readyz')).status, { timeout: 10_000 }).toBe(503)
    expect((await get('/healthz')).status).toBe(200)
    const refused = await ask(`${running.base}/mcp/one`, { body: call(2) })
    expect(refused.body.toString()).toContain('"code":-31001')
    rmSync(join(folder, 'home', 'spool'))
    await expect.poll(async () => (await get('/readyz')).status, { timeout: 10_000 }).toBe(200)
  })
})
