import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, createServer as createNet, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, it, onTestFinished } from 'vitest'
import { makeFolder } from './harness/cli.ts'
import { answerJson, ask, bodyOf, call, type Gatewayed, openGateway, outcomes, result } from './harness/gatewayed.ts'

let open: Gatewayed | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

/** A certificate for both loopback addresses that nobody but itself vouches for. */
function makeCertificate(): { cert: string; key: string } {
  const folder = makeFolder()
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const kindOfKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const names = ['-subj', '/CN=upstream', '-addext', 'subjectAltName=IP:127.0.0.1,IP:::1']
  const made = ['req', '-x509', ...kindOfKey, ...names, '-days', '2', '-keyout', key, '-out', cert]
  execFileSync('openssl', made, { stdio: 'ignore' })
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

async function listen(server: Server, host: string): Promise<string> {
  server.listen(0, host)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}/mcp`
}

it.each(['127.0.0.1', '::1'])('the certificate of %s is verified [GA-18]', async (host) => {
  const made = makeCertificate()
  let calls = 0
  const server = createHttps(made, async (request, response) => {
    calls++
    await bodyOf(request)
    answerJson(response, result(1))
  })
  const url = await listen(server, host)
  open = await openGateway(() => undefined, { url, tls: { ca: made.cert } })
  expect((await ask(open.url, { body: call(1) })).status).toBe(200)
  await open.close()
  open = await openGateway(() => undefined, { url })
  const refused = await ask(open.url, { body: call(1) })
  expect(refused.status).toBe(502)
  expect(JSON.parse(String(refused.body)).error.data).toMatchObject({ cause: 'unreachable', executed: false })
  expect(outcomes(open.records)).toEqual(['transport_error'])
  expect(open.said).toEqual(['AFD_UPSTREAM_FAILED'])
  expect(calls).toBe(1)
  server.closeAllConnections()
})

it('a handshake that does not come is given up [GA-18]', async () => {
  const silent = createNet((socket) => socket.on('error', () => undefined))
  open = await openGateway(() => undefined, { url: await listen(silent, '127.0.0.1'), timeouts: { connectMs: 100 } })
  const answer = await ask(open.url, { body: call(1) })
  expect(answer.status).toBe(504)
  expect(JSON.parse(String(answer.body)).error.data.executed).toBe(false)
  expect(outcomes(open.records)).toEqual(['timeout'])
})
