import fc from 'fast-check'
import { expect, it } from 'vitest'
import { suggestNear } from './near-word.ts'

const known = ['query', 'show', 'tail', 'verify', 'status', 'run', 'up', 'gateway', '--json', '--up']

it('what is nearly a known word is taken for a mistyped one [Q-25]', () => {
  const meant: [string, string][] = [
    ['verfy', 'verify'],
    ['vreify', 'verify'],
    ['evrifi', 'verify'],
    ['gatway', 'gateway'],
    ['gateways', 'gateway'],
    ['tial', 'tail'],
    ['rnu', 'run'],
    ['upp', 'up'],
    ['--jsn', '--json'],
  ]
  for (const [typed, word] of meant) expect(suggestNear(typed, known)).toBe(`Did you mean '${word}'? `)
})

it('and nothing is offered for what is not near, however short or long it is [Q-25]', () => {
  for (const typed of ['', 'u', 'ip', 'fly', 'shell', 'verdict', '--ip', '--yaml', 'x'.repeat(100_000)])
    expect({ typed, said: suggestNear(typed, known) }).toEqual({ typed, said: '' })
  fc.assert(fc.property(fc.string(), (typed) => typed === '' || suggestNear(`0123456789${typed}`, known) === ''))
})
