import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { askCloud, type CloudProvider } from './cloud-metadata.ts'

/** Stands for the service of each cloud, as its documentation has it; `asked` is what reached it. */
async function serve(answer: RequestListener): Promise<{ endpoint: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return { endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, asked }
}

const clouds: Record<CloudProvider, RequestListener> = {
  aws(request, response) {
    if (request.method === 'PUT' && request.url === '/latest/api/token')
      return void response.end(request.headers['x-aws-ec2-metadata-token-ttl-seconds'] === '60' ? 'AQAAtoken==' : '')
    if (request.headers['x-aws-ec2-metadata-token'] !== 'AQAAtoken==') return refuse(response)
    response.end(
      JSON.stringify({
        accountId: '123456789012',
        region: 'eu-central-1',
        availabilityZone: 'eu-central-1b',
        version: '2017-09-30',
      }),
    )
  },
  gcp(request, response) {
    if (request.headers['metadata-flavor'] !== 'Google') return refuse(response)
    response.setHeader('metadata-flavor', 'Google')
    response.end('projects/424242/zones/europe-west3-a')
  },
  azure(request, response) {
    if (request.headers.metadata !== 'true' || !isVersioned(request)) return refuse(response)
    response.end(JSON.stringify({ location: 'westeurope', zone: '2', vmId: '02aab8a4-74ef-476e-8182-f6d2ba4166a6' }))
  },
}
const isVersioned = ({ url = '' }: IncomingMessage) => url === '/metadata/instance/compute?api-version=2021-02-01'
const refuse = (response: ServerResponse) => void response.writeHead(403).end('no')

describe('the metadata service', () => {
  it.each([
    ['aws', { region: 'eu-central-1', zone: 'eu-central-1b' }, 2],
    ['gcp', { region: 'europe-west3', zone: 'europe-west3-a' }, 1],
    ['azure', { region: 'westeurope', zone: '2' }, 1],
  ] as const)('of %s tells region and zone [AT-9]', async (provider, place, requests) => {
    const { endpoint, asked } = await serve(clouds[provider])
    expect(await askCloud({ provider, endpoint })).toEqual(place)
    expect(asked).toHaveLength(requests)
  })

  it('of a machine outside of all zones tells the region alone [AT-9]', async () => {
    const { endpoint } = await serve((_, response) => response.end('{"location":"norwayeast","zone":""}'))
    expect(await askCloud({ provider: 'azure', endpoint })).toEqual({ region: 'norwayeast' })
  })

  it('is believed only where its answer looks like one [AT-9]', async () => {
    const answers: [CloudProvider, RequestListener, string][] = [
      ['gcp', (_, response) => void response.end('projects/1/zones/a-b-c'), 'not_metadata'],
      ['aws', (_, response) => void response.end('<html>login'), 'not_metadata'],
      ['azure', (_, response) => void response.end('{"location":"a b\\nc"}'), 'not_metadata'],
      ['azure', (_, response) => void response.end('[1'), 'not_metadata'],
      ['azure', (_, response) => void response.end('x'.repeat(70_000)), 'too_large'],
      ['aws', (_, response) => refuse(response), 'refused'],
      ['gcp', (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), 'refused'],
      ['azure', (_, response) => void response.destroy(), 'unreachable'],
    ]
    for (const [provider, answer, code] of answers) {
      const { endpoint } = await serve(answer)
      await expect(askCloud({ provider, endpoint }), code).rejects.toMatchObject({ name: 'CloudError', code })
    }
  })

  it('that does not answer is given up in time [AT-9]', async () => {
    const { endpoint } = await serve(() => undefined)
    const began = performance.now()
    await expect(askCloud({ provider: 'aws', endpoint, timeoutMs: 100 })).rejects.toMatchObject({ code: 'timeout' })
    expect(performance.now() - began).toBeLessThan(1_000)
  })

  it('is asked past every proxy [AT-9]', async () => {
    const proxy = await serve((_, response) => void response.end('{"location":"proxy"}'))
    const { endpoint } = await serve(clouds.azure)
    const before = { ...process.env }
    Object.assign(process.env, { http_proxy: proxy.endpoint, HTTP_PROXY: proxy.endpoint, NODE_USE_ENV_PROXY: '1' })
    onTestFinished(() => {
      process.env = before
    })
    expect(await askCloud({ provider: 'azure', endpoint })).toMatchObject({ region: 'westeurope' })
    expect(proxy.asked).toEqual([])
  })
})
