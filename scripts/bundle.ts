import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/**
 * Bundles what stands between a client and its server. `affidavit run` and the middleware load more than a hundred small
 * modules; read and linked one by one they are most of the time they add to a server's start.
 */
const sensor = join(import.meta.dirname, '../packages/sensor')
const bundle = await rolldown({
  input: {
    run: join(sensor, 'dist/cli/run.js'),
    main: join(sensor, 'dist/cli/main.js'),
    server: join(sensor, 'dist/server/audit-server.js'),
    client: join(sensor, 'dist/client/audit-fetch.js'),
  },
  platform: 'node',
  // Loaded where a configuration asks for them, from the user's own node_modules.
  external: [
    /^node:/, 'yaml', 'zod', 're2js', 'jsonc-parser', /^@cedar-policy\//, 'libpg-query', '@polyglot-sql/sdk', '@grpc/grpc-js',
  ], // biome-ignore format: one list
})
// Chunks carry a hash in their names: those of earlier builds would be published too.
rmSync(join(sensor, 'dist/bundle'), { recursive: true, force: true })
// One folder below dist/, as the modules it stands for: they find package.json two folders up.
await bundle.write({ dir: join(sensor, 'dist/bundle'), format: 'esm' })
await bundle.close()
