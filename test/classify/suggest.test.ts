import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Classifier } from '../../packages/sensor/src/classify/classifier.ts'
import { compileCatalogue } from '../../packages/sensor/src/classify/compile.ts'
import { makeFolder, oneUpstream, runCli, startCli, writeConfig } from '../gateway/harness/cli.ts'
import { answerJson, ask, bodyOf } from '../gateway/harness/gatewayed.ts'
import { serve } from '../gateway/harness/serve.ts'

const schema = (...names: string[]) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
})
const tools = [
  {
    name: 'get_customer',
    description: 'Finds a customer.',
    inputSchema: schema('id', 'report_file'),
    annotations: { readOnlyHint: true },
  },
  { name: 'deletePatient', inputSchema: schema('mrn'), annotations: { readOnlyHint: true } },
  { name: 'transmogrify', inputSchema: schema('where'), annotations: { destructiveHint: true } },
  { name: 'hmm', inputSchema: schema('x') },
  { name: 'odd "name"\n# \u2028: *', inputSchema: schema('to', 'bucket', 'key') },
]

/** A home in which these tools were listed, and some of them called. */
async function record() {
  const upstream = await serve(async (incoming, response) => {
    const { id, method } = JSON.parse(await bodyOf(incoming))
    answerJson(response, { jsonrpc: '2.0', id, result: method === 'tools/list' ? { tools } : { content: [] } })
  })
  const folder = makeFolder()
  const home = join(folder, 'home')
  const path = writeConfig(folder, oneUpstream(upstream))
  const running = await startCli(['gateway', '--config', path, '--home', home, '--collector', 'none'])
  let id = 1
  const send = (method: string, params: object) =>
    ask(`${running.base}/mcp/one`, { body: JSON.stringify({ jsonrpc: '2.0', id: id++, method, params }) })
  await send('tools/list', {})
  for (const file of ['/srv/a', '/srv/b'])
    await send('tools/call', { name: 'get_customer', arguments: { id: 7, report_file: file } })
  await send('tools/call', { name: 'transmogrify', arguments: { where: 'https://example.test/x' } })
  await send('tools/call', { name: 'not-listed', arguments: {} })
  running.process.kill('SIGTERM')
  await running.exit
  await runCli(['collector', '--home', home, '--idle-exit-ms', '0'])
  return { folder, home }
}

describe('catalog suggest', () => {
  it('counts and shows what nothing classifies, and proposes entries that load as they stand [CL-11]', async () => {
    const { folder, home } = await record()
    const { code, out, err } = await runCli(['catalog', 'suggest', '--home', home])
    expect(code).toBe(0)
    expect(err).toBe(
      '5 of 5 tools not classified; 3 calls were recorded without a level or an effect; 1 call to tools that no server listed\n',
    )
    expect(out).toMatch(
      /# 2 calls seen\n.*# effect: the name has 'get'\n.*# sensitivity: at least this, for the word 'customer'\n {2}- id: one-get-customer\n/,
    )
    expect(out).toMatch(/though the server claims readOnlyHint\n.*'patient'/)
    expect(out).toMatch(/effect: neither name nor annotations tell; say it/)
    const classifier = new Classifier(compileCatalogue([{ label: 'proposed', text: out, examples: 'tried' }]))
    const seen = tools.map(({ name }) => {
      const args = { report_file: '/srv/a', where: 'https://example.test/x', to: 'a@b.test', bucket: 'b', key: 'k' }
      const found = classifier.classify({ server: 'one', tool: name, resource: undefined }, () =>
        Buffer.from(JSON.stringify(args)),
      )
      return [found?.level, found?.effect, found?.resources.map(({ type, name }) => `${type} ${name}`).join(', ')]
    })
    expect(seen).toEqual([
      ['confidential', 'read', 'path /srv/a'],
      ['restricted', 'destructive', ''],
      [undefined, 'destructive', 'uri https://example.test/x, host example.test'],
      [undefined, undefined, ''],
      [undefined, undefined, 'uri s3://b/k, uri mailto:a@b.test, host b.test'],
    ])
    // With them in use, only what they leave open is left.
    const file = join(folder, 'mine.yaml')
    writeFileSync(file, out)
    const after = await runCli(['catalog', 'suggest', '--json', '--catalogue', file, '--home', home])
    const rest = after.out.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line)) // biome-ignore format: one line
    expect(rest.map(({ tool }) => tool).sort()).toEqual([tools[3]?.name, tools[4]?.name, tools[2]?.name].sort())
    writeFileSync(file, 'version: 2\n')
    const bad = await runCli(['catalog', 'suggest', '--catalogue', file, '--home', home])
    expect([bad.code, bad.err]).toEqual([
      2,
      expect.stringMatching(/mine\.yaml: line 1, version: .*\[AFD_CATALOGUE_INVALID\]/),
    ])
    const none = await runCli(['catalog', 'suggest', '--catalogue', join(folder, 'none.yaml'), '--home', home])
    expect([none.code, none.err]).toEqual([
      2,
      expect.stringMatching(/none\.yaml: it is not there.*\[AFD_FILE_UNREADABLE\]/),
    ])
  }, 120_000)
})
