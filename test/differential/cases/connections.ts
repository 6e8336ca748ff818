import { pause } from '../harness/message.ts'
import type { Script } from '../harness/peers.ts'
import type { Case } from '../harness/ways.ts'
import { answer, call, head, host, result, toRequest, usual } from './exchange.ts'

const ask = (id: string) => ({ body: call('{}', id) })
const reply =
  (id: string): Script =>
  (wire) =>
    wire.write(answer(result('{}', id)))
const replyAndLeave =
  (id: string): Script =>
  async (wire) => {
    await wire.write(answer(result('{}', id)))
    wire.finish()
  }

const expecting = [...usual, ['Expect', '100-continue']] satisfies typeof usual
const large = { body: call(`"${'x'.repeat(200_000)}"`) }

/** How connections are used: by both ends, one after another and at the same time. */
export const connectionCases: Case[] = [
  {
    name: 'one request after another on a connection',
    begin: () => ({
      scripts: [reply('1'), reply('2')],
      async talk(open) {
        const client = await open()
        await client.send(toRequest(client.target, ask('1')))
        const first = await client.read()
        await client.send(toRequest(client.target, ask('2')))
        return [first, await client.read()]
      },
    }),
  },
  {
    name: 'two requests at once on a connection',
    begin: () => ({
      scripts: [reply('1'), reply('2')],
      async talk(open) {
        const client = await open()
        const [first, second] = [ask('1'), ask('2')].map((words) => toRequest(client.target, words))
        await client.send(Buffer.concat([first ?? Buffer.alloc(0), second ?? Buffer.alloc(0)]))
        return [await client.read(), await client.read()]
      },
    }),
  },
  {
    name: 'twenty clients at once, all with the same id',
    begin: () => ({
      scripts: Array.from(
        { length: 20 },
        (): Script =>
          (wire, { body }) =>
            wire.write(answer(body)),
      ),
      isUnordered: true,
      talk: (open) =>
        Promise.all(
          Array.from({ length: 20 }, async (_, place) => {
            const client = await open()
            await client.send(toRequest(client.target, { body: call(`{"place":${place}}`) }))
            return client.read()
          }),
        ),
    }),
  },
  {
    name: 'a server that hangs up after every answer',
    begin: () => ({
      scripts: ['1', '2', '3'].map(replyAndLeave),
      async talk(open) {
        const read = []
        for (const id of ['1', '2', '3']) {
          const client = await open()
          await client.send(toRequest(client.target, ask(id)))
          read.push(await client.read())
          client.drop()
          await pause(20)
        }
        return read
      },
    }),
  },
  {
    name: 'a client that wants no more after its answer',
    begin: () => ({
      scripts: [replyAndLeave('1')],
      async talk(open) {
        const client = await open()
        await client.send(toRequest(client.target, { ...ask('1'), headers: [...usual, ['Connection', 'close']] }))
        // The second reading finds the end of the connection.
        return [await client.read(), await client.read()]
      },
    }),
  },
  {
    name: 'a body that comes in pieces',
    begin: () => ({
      scripts: [reply('1')],
      async talk(open) {
        const client = await open()
        const bytes = toRequest(client.target, ask('1'))
        for (let at = 0; at < bytes.length; at += 50) {
          await client.send(bytes.subarray(at, at + 50))
          await pause(2)
        }
        return [await client.read()]
      },
    }),
  },
  {
    name: 'a client that waits to be told to go on',
    begin: () => ({
      scripts: [reply('1')],
      onHead: ({ headers }, wire) => {
        if (headers.some(([name]) => name.toLowerCase() === 'expect')) wire.write(head('HTTP/1.1 100 Continue', []))
      },
      async talk(open) {
        const client = await open()
        const bytes = toRequest(client.target, { ...ask('1'), headers: expecting })
        const end = bytes.indexOf('\r\n\r\n') + 4
        await client.send(bytes.subarray(0, end))
        await client.waitFor('100 Continue')
        await client.send(bytes.subarray(end))
        return [await client.read()]
      },
    }),
  },
  {
    name: 'a server that answers before it was told everything',
    begin: () => ({
      scripts: [async () => undefined],
      onHead: (_head, wire) => {
        wire.write(answer('{}', [], '413 Content Too Large'))
      },
      async talk(open) {
        const client = await open()
        const sent = client.send(toRequest(client.target, large))
        const read = await client.read()
        await sent
        return [read]
      },
    }),
  },
  {
    name: 'an answer that ends with its connection',
    begin: () => ({
      scripts: [
        async (wire) => {
          await wire.write(
            head('HTTP/1.1 200 OK', [
              ['Content-Type', 'text/plain'],
              ['X-A', '1'],
            ]),
          )
          await wire.write('until the end')
          wire.finish()
        },
      ],
      async talk(open) {
        const client = await open()
        await client.send(toRequest(client.target, { method: 'GET', headers: [host] }))
        // How its end is told belongs to the connection.
        return [{ ...(await client.read('GET')), framing: 'close' }]
      },
    }),
  },
]
