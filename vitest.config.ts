import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** The export condition under which packages find each other's TypeScript sources. */
const source = '@affidavit/source'

export default defineConfig({
  resolve: { conditions: [source] },
  ssr: { resolve: { conditions: [source, 'node', 'import', 'default'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/full/**'],
    environment: 'node',
    pool: 'forks',
    // Tests mostly wait for processes they started: on two cores the usual single worker would leave one idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    execArgv: [`--conditions=${source}`],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
