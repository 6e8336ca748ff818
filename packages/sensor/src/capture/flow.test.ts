import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { Flow } from './flow.ts'
import { openSink } from './sink.ts'

it('what comes last, and the end right after it, arrives whole [GA-13]', async () => {
  for (let turns = 0; turns < 20; turns++) {
    const receiver = new PassThrough()
    const flow = new Flow()
    const released = flow.release(openSink(receiver, () => undefined))
    flow.append(Buffer.from('first '))
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    flow.append(Buffer.from('last '))
    flow.hold(Buffer.from('end'))
    flow.finish(Promise.resolve({ pass: true }))
    await released
    expect(String(receiver.read())).toBe('first last end')
  }
})
