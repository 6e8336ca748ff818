import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, startGateway } from '../conformance/processes.ts'
import { type BodyCase, bodyCases, idCases, largeCases, multilineCases } from './cases/bodies.ts'
import { connectionCases } from './cases/connections.ts'
import { answer, toCase } from './cases/exchange.ts'
import { interimHeads, requestHeads, responseHeads } from './cases/heads.ts'
import { cutCases, leavingCases, stepCases } from './cases/moments.ts'
import { largeForms, streamBodies } from './cases/streams.ts'
import { type CarelessProxy, startCarelessProxy } from './harness/careless.ts'
import { type ScriptedServer, startScriptedServer } from './harness/peers.ts'
import { type Case, play } from './harness/ways.ts'

let server: ScriptedServer
let gateway: Gateway
beforeAll(async () => {
  server = await startScriptedServer()
  gateway = await startGateway({ scripted: `http://127.0.0.1:${server.port}/mcp` })
})
afterAll(async () => {
  await gateway.stop()
  await server.stop()
})

/** The case is played directly and through the gateway, and both ends see the same. */
async function compare(one: Case): Promise<void> {
  const direct = await play(one, `http://127.0.0.1:${server.port}/mcp`, server)
  expect(direct.requests, 'the harness itself').toHaveLength(one.begin().scripts.length)
  expect(await play(one, gateway.urlOf('scripted'), server)).toEqual(direct)
}

const over = (cases: BodyCase[]) =>
  cases.map(({ name, request, response }) => toCase({ name, body: request, response: answer(response) }))

describe('bodies are relayed as they are', () => {
  it.each(over([...bodyCases, ...multilineCases]))('$name [DF-1]', compare)
  it.each(over(idCases))('$name [DF-2]', compare)
  it.each([...over(largeCases), ...largeForms.map(toCase)])('$name [DF-3]', compare)
})

describe('heads are relayed as they are', () => {
  it.each(requestHeads.map(toCase))('request: $name [DF-4]', compare)
  it.each(responseHeads.map(toCase))('response: $name [DF-5]', compare)
  it.each(interimHeads.map(toCase))('informational: $name [DF-6]', compare)
})

describe('streams are relayed as they are', () => {
  it.each(streamBodies.map(toCase))('$name [DF-7]', compare)
  it.each(stepCases)('$name [DF-8]', compare)
  it.each(leavingCases)('$name [DF-9]', compare)
  it.each(cutCases)('$name [DF-10]', compare)
})

describe('connections', () => {
  it.each(connectionCases)('$name [DF-11]', compare)
})

describe('the harness', () => {
  const named = (cases: Case[], ...names: string[]) => cases.filter(({ name }) => names.includes(name))
  const seen = [
    ...over(bodyCases).filter(({ name }) => /beyond|duplicate keys|escapes|UTF-8|mark/.test(name)),
    ...named(
      requestHeads.map(toCase),
      'a token',
      'names in their case and order',
      'names that occur twice',
      'trailers',
    ),
    ...named(responseHeads.map(toCase), '200 Fine by me', 'trailers', 'gzip', 'names in their case, order and number'),
    ...interimHeads.map(toCase),
    ...cutCases,
  ]
  let proxy: CarelessProxy
  beforeAll(async () => {
    proxy = await startCarelessProxy(`http://127.0.0.1:${server.port}/mcp`)
  })
  afterAll(() => proxy.stop())
  it.each(seen)('sees that a careless relay changes: $name [DF-13]', async (one) => {
    const direct = await play(one, `http://127.0.0.1:${server.port}/mcp`, server)
    expect(await play(one, proxy.url, server)).not.toEqual(direct)
  })
})
