import { judge, type Verdict } from './compare.ts'
import { startGateway, startServer } from './processes.ts'
import { runSuite } from './suite.ts'

/** What the suite is run against. Every run has a server process of its own, so that none hears what another triggers. */
export const subjects = [
  { name: '2025-11-25', revision: '2025-11-25', server: ['legacy.ts'] },
  { name: '2026-07-28', revision: '2026-07-28', server: ['modern.ts'] },
  { name: '2026-07-28, every answer a stream', revision: '2026-07-28', server: ['modern.ts', 'sse'] },
] as const
export type Subject = (typeof subjects)[number]

/** Runs the suite directly, directly again and through the gateway, at the same time, and judges. */
export async function testSubject({ revision, server }: Subject): Promise<Verdict> {
  const [file, ...argv] = server
  const servers = await Promise.all([1, 2, 3].map(() => startServer(file, ...argv)))
  const [direct = '', again = '', behind = ''] = servers.map(({ port }) => `http://127.0.0.1:${port}/mcp`)
  const gateway = await startGateway({ subject: behind })
  try {
    const urls = [direct, again, gateway.urlOf('subject')]
    const [first, second, third] = await Promise.all(urls.map((url) => runSuite(url, revision)))
    if (first === undefined || second === undefined || third === undefined) throw new Error('a run is missing')
    return judge({ direct: first, again: second, gateway: third })
  } finally {
    await gateway.stop()
    await Promise.all(servers.map((one) => one.stop()))
  }
}
