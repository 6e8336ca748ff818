// Answers every request with its own params; understands a few methods that make it misbehave. Plain JSON-RPC, no SDK.
import { createInterface } from 'node:readline'

const send = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
const lines = createInterface({ input: process.stdin, crlfDelay: 0 })
const pending = new Map()
let asked = 0

const behaviours = {
  initialize: ({ id, params }) =>
    send({
      jsonrpc: '2.0',
      id,
      result: {
        protocolVersion: params?.protocolVersion ?? '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: { name: 'echo-server', version: '9.8.7' },
      },
    }),
  'tools/list': ({ id, params }) =>
    params?.cursor === 'two'
      ? process.stdout.write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"tools":[ {"name":"second"} ]}}\n`)
      : process.stdout.write(
          `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"tools":[{"name": "echo","inputSchema":{"type":"object"}}],"nextCursor":"two"}}\n`,
        ),
  'tools/call': ({ id, params }) => {
    if (params.name === 'fail')
      return send({ jsonrpc: '2.0', id, result: { isError: true, content: [{ type: 'text', text: 'no' }] } })
    if (params.name === 'big') {
      const text = 'x'.repeat(params.arguments.bytes)
      return send({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } })
    }
    if (params.name === 'size')
      return send({
        jsonrpc: '2.0',
        id,
        result: { content: [{ type: 'text', text: String(params.arguments.text.length) }] },
      })
    if (params.name === 'never') return undefined
    if (params.name === 'die') return process.kill(process.pid, params.arguments.signal)
    if (params.name === 'exit') return process.exit(params.arguments.code)
    if (params.name === 'raw') return process.stdout.write(Buffer.from(params.arguments.base64, 'base64'))
    if (params.name === 'environment')
      return send({ jsonrpc: '2.0', id, result: { content: [], environment: process.env } })
    if (params.name === 'ask') {
      pending.set(`ask-${asked}`, id)
      return send({ jsonrpc: '2.0', id: `ask-${asked++}`, method: 'sampling/createMessage', params: { messages: [] } })
    }
    return send({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: JSON.stringify(params) }] } })
  },
}

lines.on('line', (line) => {
  let message
  try {
    message = JSON.parse(line)
  } catch (error) {
    process.stderr.write(`unreadable: ${error.name}\n`)
    return
  }
  for (const one of Array.isArray(message) ? message : [message]) {
    if (one.method === undefined) {
      send({
        jsonrpc: '2.0',
        id: pending.get(one.id),
        result: { content: [{ type: 'text', text: JSON.stringify(one) }] },
      })
    } else if (one.id !== undefined) {
      const behave = behaviours[one.method]
      if (behave) behave(one)
      else send({ jsonrpc: '2.0', id: one.id, error: { code: -32601, message: 'no such method' } })
    }
  }
})
lines.on('close', () => process.exit(0))
