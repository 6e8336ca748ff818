/** What both servers offer, whatever their SDK: the fixtures that the suite's scenarios ask for, as tables. */

export type Block =
  | { type: 'text'; text: string }
  | { type: 'image' | 'audio'; data: string; mimeType: string }
  | { type: 'resource'; resource: { uri: string; mimeType: string; text: string } }
export interface Outcome {
  content: Block[]
  isError?: boolean
  [key: string]: unknown
}
/** What a tool may do towards its caller while it runs. */
export interface Caller {
  /** Nothing happens where the caller asked for no progress. */
  reportProgress(progress: number, total: number): Promise<void>
}
export interface Tool<C = Caller> {
  name: string
  description: string
  inputSchema: { type: 'object'; [key: string]: unknown }
  run(args: Record<string, unknown>, caller: C): Outcome | Promise<Outcome>
}

export const say = (text: string): Outcome => ({ content: [{ type: 'text', text }] })
export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
export const nothing = { type: 'object' as const, properties: {} }

/** One transparent pixel. */
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII='
const image: Block = { type: 'image', data: pixel, mimeType: 'image/png' }

/** A WAV file without a single sample. */
function silence(): string {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(8000, 24)
  header.writeUInt32LE(8000, 28)
  header.writeUInt16LE(1, 32)
  header.writeUInt16LE(8, 34)
  header.write('data', 36)
  return header.toString('base64')
}

const embedded = (uri: string, mimeType: string, text: string): Block => ({
  type: 'resource',
  resource: { uri, mimeType, text },
})

/** A schema in which every keyword of 2020-12 occurs that a careless relay would drop. */
const schema2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object' as const,
  $defs: { address: { $anchor: 'address', type: 'object', properties: { city: { type: 'string' } } } },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#address' },
    reach: { enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { reach: { const: 'phone' } } },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema.
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
}

const fixed = (name: string, description: string, content: Block[]): Tool => ({
  name,
  description,
  inputSchema: nothing,
  run: () => ({ content }),
})

async function countUp(_args: Record<string, unknown>, caller: Caller): Promise<Outcome> {
  for (const progress of [0, 50, 100]) {
    if (progress > 0) await pause(50)
    await caller.reportProgress(progress, 100)
  }
  return say('reached 100 of 100')
}

export const tools: Tool[] = [
  fixed('test_simple_text', 'Says one sentence', [
    { type: 'text', text: 'This is a simple text response for testing.' },
  ]),
  fixed('test_image_content', 'Shows a pixel', [image]),
  fixed('test_audio_content', 'Plays silence', [{ type: 'audio', data: silence(), mimeType: 'audio/wav' }]),
  fixed('test_embedded_resource', 'Hands out a resource', [
    embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'),
  ]),
  fixed('test_multiple_content_types', 'Mixes text, image and resource', [
    { type: 'text', text: 'Multiple content types test:' },
    image,
    embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  ]),
  {
    name: 'test_error_handling',
    description: 'Always fails',
    inputSchema: nothing,
    run: () => ({ ...say('This tool intentionally returns an error for testing'), isError: true }),
  },
  { name: 'test_tool_with_progress', description: 'Reports its progress', inputSchema: nothing, run: countUp },
  {
    name: 'json_schema_2020_12_tool',
    description: 'Takes a rich schema',
    inputSchema: schema2020,
    run: () => say('ok'),
  },
]

export const resources = [
  { uri: 'test://static-text', name: 'static-text', description: 'A text that stays', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'static-binary', description: 'Bytes that stay', mimeType: 'image/png' },
  { uri: 'test://watched-resource', name: 'watched', description: 'To subscribe to', mimeType: 'text/plain' },
]
export const resourceTemplates = [
  {
    uriTemplate: 'test://template/{id}/data',
    name: 'template',
    description: 'Made from its address',
    mimeType: 'application/json',
  },
]

type Contents = { uri: string; mimeType: string; text: string } | { uri: string; mimeType: string; blob: string }

/** The contents at the address, or undefined where there is none. */
export function readResource(uri: string): { contents: Contents[] } | undefined {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1]
  if (id !== undefined) {
    const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` })
    return { contents: [{ uri, mimeType: 'application/json', text }] }
  }
  if (uri === 'test://static-binary') return { contents: [{ uri, mimeType: 'image/png', blob: pixel }] }
  if (uri === 'test://static-text')
    return { contents: [{ uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }] }
  if (uri === 'test://watched-resource') return { contents: [{ uri, mimeType: 'text/plain', text: 'watched' }] }
  return undefined
}

const argument = (name: string) => ({ name, description: `The ${name}`, required: true })
export const prompts = [
  { name: 'test_simple_prompt', description: 'One sentence' },
  {
    name: 'test_prompt_with_arguments',
    description: 'Two arguments',
    arguments: [argument('arg1'), argument('arg2')],
  },
  {
    name: 'test_prompt_with_embedded_resource',
    description: 'A resource inside',
    arguments: [argument('resourceUri')],
  },
  { name: 'test_prompt_with_image', description: 'An image inside' },
]

const asked = (...blocks: Block[]) => ({
  messages: blocks.map((content) => ({ role: 'user' as const, content })),
})

/** The messages of the prompt, or undefined where there is none of that name. */
export function getPrompt(name: string, args: Record<string, string> = {}) {
  const text = (words: string): Block => ({ type: 'text', text: words })
  switch (name) {
    case 'test_simple_prompt':
      return asked(text('This is a simple prompt for testing.'))
    case 'test_prompt_with_arguments':
      return asked(text(`Prompt with arguments: arg1='${args.arg1}', arg2='${args.arg2}'`))
    case 'test_prompt_with_embedded_resource':
      return asked(
        embedded(args.resourceUri ?? '', 'text/plain', 'Embedded resource content for testing.'),
        text('Please process the embedded resource above.'),
      )
    case 'test_prompt_with_image':
      return asked(image, text('Please analyze the image above.'))
    default:
      return undefined
  }
}

export const completion = { completion: { values: ['paris', 'park'], total: 2, hasMore: false } }

/** Says on stdout where it listens, and ends with its parent, which holds the other end of stdin. */
export function announce(address: unknown): void {
  if (typeof address !== 'object' || address === null || !('port' in address)) throw new Error('no port')
  process.stdout.write(`${address.port}\n`)
  process.stdin.on('end', () => process.exit(0)).resume()
}
