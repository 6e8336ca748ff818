import { judge, type Verdict } from './compare.ts'
import { startGateway, startServer } from './processes.ts'
import { runSuite } from './suite.ts'

/** What the suite is run against. Every run has a server process of its own, so that none hears what another triggers. */
export const subjects = [
  { name: '2025-11-25', revision: '2025-11-25', server: ['legacy.ts'] },
  { name: '2026-07-28', revision: '2026-07-28', server: ['modern.ts'] },
  { name: '2026-07-28, every answer a stream', revision: '2026-07-28', server: ['modern.ts', 'sse'] },
] as const

type Subject = (typeof subjects)[number]

const attemptsMax = 3

/**
 * The verdict on every subject. Some checks of the suite are about what happens within a moment, and say something else where
 * the machine is too busy to keep it: a subject that is not equal is asked again, alone, and `tell` hears each time what was
 * not. A difference that is there stays there.
 */
export async function testSubjects(tell: (name: string, verdict: Verdict) => void): Promise<Map<string, Verdict>> {
  const verdicts = await testAtOnce(subjects)
  for (let attempt = 1; attempt < attemptsMax; attempt++)
    for (const subject of subjects) {
      const verdict = verdicts.get(subject.name)
      if (verdict === undefined || verdict.isEqual) continue
      tell(subject.name, verdict)
      for (const [name, again] of await testAtOnce([subject])) verdicts.set(name, again)
    }
  return verdicts
}

/** Runs the suite for the subjects directly, directly again and through one gateway, all at the same time, and judges. */
async function testAtOnce(subjects: readonly Subject[]): Promise<Map<string, Verdict>> {
  const servers = await Promise.all(
    subjects.flatMap(({ server: [file, ...argv] }) => [1, 2, 3].map(() => startServer(file, ...argv))),
  )
  const urls = servers.map(({ port }) => `http://127.0.0.1:${port}/mcp`)
  const behind = subjects.map((_, place) => [`subject-${place}`, urls[3 * place + 2] ?? ''])
  const gateway = await startGateway(Object.fromEntries(behind))
  try {
    const verdicts = subjects.map(async ({ name, revision }, place): Promise<[string, Verdict]> => {
      const [direct = '', again = ''] = urls.slice(3 * place)
      const [first, second, third] = await Promise.all([
        runSuite(direct, revision),
        runSuite(again, revision),
        runSuite(gateway.urlOf(`subject-${place}`), revision),
      ])
      return [name, judge({ direct: first, again: second, gateway: third })]
    })
    return new Map(await Promise.all(verdicts))
  } finally {
    await gateway.stop()
    await Promise.all(servers.map((one) => one.stop()))
  }
}
