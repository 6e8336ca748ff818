import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'affidavit-pack-'))
const installed = join(folder, 'app')
const modules = join(installed, 'node_modules')

/** The machine's own Node: the first on PATH that no package brought. */
const ownNode = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((dir) => !dir.includes('node_modules'))
  .map((dir) => join(dir, 'node'))
  .find((path) => existsSync(path))
const nodes = [...new Set([ownNode ?? process.execPath, process.execPath])]
const versionOf = (node: string) => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()

const isFolder = (path: string) => existsSync(path) && statSync(path).isDirectory()
const names = (dir: string) =>
  readdirSync(dir)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => (name.startsWith('@') ? readdirSync(join(dir, name)).map((n) => `${name}/${n}`) : [name]))

/** Bytes of all files below a folder. */
function weigh(dir: string): number {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

function npm(args: string[], cwd: string): string {
  const result = spawnSync('npm', args, { cwd, encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`npm ${args.join(' ')}: ${result.stderr}`)
  return result.stdout
}

function install(into: string, packages: string[]) {
  mkdirSync(into, { recursive: true })
  writeFileSync(join(into, 'package.json'), '{ "private": true, "type": "module" }')
  const tarballs = packages.map((name) => join(folder, `${name}-0.1.0.tgz`))
  npm(['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', ...tarballs], into)
}

beforeAll(() => {
  npm(['run', 'build'], root)
  for (const name of ['evidence', 'sensor', 'affidavit'])
    npm(['pack', '-w', `packages/${name}`, '--pack-destination', folder], root)
  install(installed, ['affidavit-evidence', 'affidavit-sensor', 'affidavit'])
}, 300_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each(nodes.map((node) => ({ node, version: versionOf(node) })))(
  'installed packages on Node $version',
  ({ node, version }) => {
    const run = (args: string[]) => spawnSync(node, args, { cwd: installed, encoding: 'utf8', timeout: 60_000 })

    it('@affidavit/evidence loads every subpath it exports [PACK-1]', () => {
      const script = `
      import { readFileSync } from 'node:fs'
      const { exports } = JSON.parse(readFileSync('node_modules/@affidavit/evidence/package.json', 'utf8'))
      const paths = Object.keys(exports)
      for (const path of paths) await import('@affidavit/evidence' + path.slice(1))
      console.log(paths.length)`
      const result = run(['--input-type=module', '-e', script])
      expect(result.stderr).toBe('')
      expect(Number(result.stdout)).toBeGreaterThan(10)
    })

    it('affidavit-sensor wraps a server and records its call [PACK-2]', () => {
      const server = `process.stdin.once('data', () => { console.log('{"jsonrpc":"2.0","id":1,"result":{}}'); process.exit(0) })`
      const home = join(folder, `home-${version}`)
      const sensor = join(modules, '@affidavit/sensor/bin/affidavit-sensor.js')
      const result = spawnSync(node, [sensor, 'run', '--home', home, '--collector', 'none', '--', node, '-e', server], {
        input: '{"jsonrpc":"2.0","id":1,"method":"ping"}\n',
        encoding: 'utf8',
        timeout: 60_000,
      })
      expect(result.stderr).toBe('')
      expect(result.stdout).toBe('{"jsonrpc":"2.0","id":1,"result":{}}\n')
      expect(readdirSync(join(home, 'spool')).filter((name) => name.endsWith('.seg'))).toHaveLength(1)
    })

    it('the middleware records without an SDK beside it [PACK-5]', () => {
      const home = join(folder, `middleware-${version}`)
      const script = `
      import { auditServer, sqlComment } from '@affidavit/sensor/server'
      import { auditFetch } from '@affidavit/sensor/client'
      const server = { async connect(transport) { transport.onmessage = ({ id }) => transport.send({ jsonrpc: '2.0', id, result: {} }) } }
      const options = { serverName: 'packed', home: ${JSON.stringify(home)} }
      auditServer(server, options)
      const answer = new Promise((resolve) => {
        const transport = { constructor: { name: 'StdioServerTransport' }, send: async (message) => resolve(message) }
        server.connect(transport).then(() => transport.onmessage({ jsonrpc: '2.0', id: 1, method: 'ping' }))
      })
      const fetch = auditFetch(async () => Response.json({ jsonrpc: '2.0', id: 1, result: {} }), options)
      const headers = { 'content-type': 'application/json' }
      const response = await fetch('http://localhost/', { method: 'POST', headers, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' })
      console.log(JSON.stringify([await answer, await response.json()]))`
      const result = run(['--input-type=module', '-e', script])
      expect(result.stderr).toBe('')
      expect(JSON.parse(result.stdout)).toEqual(Array(2).fill({ jsonrpc: '2.0', id: 1, result: {} }))
      expect(readdirSync(join(home, 'spool')).filter((name) => name.endsWith('.seg'))).toHaveLength(2)
    })

    it('affidavit-sensor gateway relays and records a call [PACK-6]', async () => {
      const answer = '{"jsonrpc":"2.0","id":1,"result":{}}'
      const server = createServer((request, response) => {
        request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(answer))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const home = join(folder, `gateway-${version}`)
      const config = `${home}.yaml`
      writeFileSync(config, `listen: 127.0.0.1:0\nupstreams:\n  one:\n    url: http://127.0.0.1:${port}/mcp\n`)
      const sensor = join(modules, '@affidavit/sensor/bin/affidavit-sensor.js')
      const gateway = spawn(node, [sensor, 'gateway', '--home', home, '--config', config, '--collector', 'none'])
      try {
        const base = await new Promise<string>((resolve, reject) => {
          gateway.once('exit', (code) => reject(new Error(`it ended with ${code}`)))
          gateway.stderr.on('data', (said) => {
            const [, url] = /listens on (\S+:\d+)/.exec(String(said)) ?? []
            if (url !== undefined) resolve(url)
          })
        })
        const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
        const response = await fetch(`${base}/mcp/one`, { method: 'POST', body })
        expect(await response.text()).toBe(answer)
        expect(readdirSync(join(home, 'spool')).filter((name) => name.endsWith('.seg'))).toHaveLength(1)
      } finally {
        gateway.kill('SIGKILL')
        server.close()
      }
    })

    it('affidavit answers on 24 and refuses in one line below [PACK-3]', () => {
      const result = run([join(modules, 'affidavit/bin/affidavit.js'), 'version'])
      if (Number(version.slice(1).split('.')[0]) >= 24) {
        expect(result.stdout).toMatch(/^affidavit 0\.1\.0/)
        expect(result.status).toBe(0)
      } else {
        expect(result.stderr.trim().split('\n')).toHaveLength(1)
        expect(result.stderr).toContain('[AFD_NODE_TOO_OLD]')
        expect(result.status).toBe(2)
      }
    })
  },
)

it('the Node of this machine is tested where it is not the one of the checkout', () => {
  if (ownNode === undefined)
    console.warn('SKIPPED: no Node of its own on this machine; only the checkout’s Node was tested')
  expect(nodes.length).toBeGreaterThan(0)
})

it('@affidavit/sensor installs at most 20 packages and 15 MB [PACK-4]', () => {
  const alone = join(folder, 'sensor-alone')
  install(alone, ['affidavit-evidence', 'affidavit-sensor'])
  const packages = names(join(alone, 'node_modules')).filter((name) => isFolder(join(alone, 'node_modules', name)))
  const bytes = weigh(join(alone, 'node_modules'))
  console.log(`@affidavit/sensor installed: ${packages.length} packages, ${(bytes / 1e6).toFixed(1)} MB`)
  expect(packages.length).toBeLessThanOrEqual(20)
  expect(bytes).toBeLessThanOrEqual(15e6)
})

it('@affidavit/sensor alone names the plug-in that the Workload API needs, and starts no server [SV-14]', () => {
  const alone = join(folder, 'sensor-alone')
  const config = join(folder, 'workload-api.yaml')
  writeFileSync(config, 'identity:\n  workloadApi:\n    socket: unix:///run/spire/api.sock\n')
  const sensor = join(alone, 'node_modules/@affidavit/sensor/bin/affidavit-sensor.js')
  const argv = [
    sensor,
    'run',
    '--config',
    config,
    '--collector',
    'none',
    '--',
    process.execPath,
    '-e',
    'console.log("started")',
  ]
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 60_000 })
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toMatch(
    /line 2: identity\.workloadApi: .*@grpc\/grpc-js is not installed.*npm install @grpc\/grpc-js.*\[AFD_PLUGIN_MISSING\]/,
  )
  expect(stderr.trim().split('\n')).toHaveLength(1)
})
