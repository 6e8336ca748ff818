import { defineConfig, mergeConfig } from 'vitest/config'
import config from './vitest.config.ts'

/** The long fault runs that `npm run check:full` adds to what CI runs. */
export default mergeConfig(
  { ...config, test: { ...config.test, include: [], exclude: [] } },
  defineConfig({
    test: { include: ['test/full/**/*.test.ts'], exclude: ['**/node_modules/**'], fileParallelism: false },
  }),
)
