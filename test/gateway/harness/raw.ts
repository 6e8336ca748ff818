import { connect, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** Both ends of a connection as bytes, for what no library would send. */

/** An upstream that answers the head of every request with these bytes (Latin-1). Gone when the test ends. */
export async function startRawServer(answer: string | ((socket: Socket) => void)): Promise<string> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    let head = ''
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      head += bytes.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      head = ''
      if (typeof answer === 'function') answer(socket)
      else socket.write(answer, 'latin1')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('it listens on a port')
  return `http://127.0.0.1:${address.port}/mcp`
}

/** Sends bytes to the host of a URL and resolves to what came back by the time that `until` was in it, or it was closed. */
export function sendRaw(url: string, bytes: string | Uint8Array, until = '\r\n\r\n'): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let got = ''
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(got)
    }
    const timer = setTimeout(finish, 5000)
    socket.on('error', finish)
    socket.on('close', finish)
    socket.on('data', (piece) => {
      got += piece.toString('latin1')
      if (got.includes(until)) finish()
    })
    socket.write(bytes)
  })
}

/** A POST to a path, with more fields as lines. */
export function rawPost(path: string, body: string | Uint8Array, ...fields: string[]): Buffer {
  const lines = [`POST ${path} HTTP/1.1`, ...fields, `Content-Length: ${Buffer.byteLength(body)}`]
  const host = fields.some((field) => /^host:/i.test(field)) ? [] : ['Host: gateway.test']
  return Buffer.concat([Buffer.from([...lines, ...host, '', ''].join('\r\n'), 'latin1'), Buffer.from(body)])
}
