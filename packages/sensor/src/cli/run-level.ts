import { createHash } from 'node:crypto'
import type { CaptureLevel } from '@affidavit/evidence/record/kinds'
import type { Emit } from '../capture/context.ts'
import type { KnownLevels } from '../durable/known-levels.ts'
import { diagnose } from './diagnostics.ts'
import { levels } from './run-options.ts'

export interface LevelInForce {
  server: string
  level: CaptureLevel
}

/**
 * Asks at which level the process before captured this server's calls, and has a change recorded ahead of everything that
 * this one will record: that is on its way when this returns. The new level is remembered when it is durable, so that a crash
 * has it recorded twice rather than never.
 */
export function beginLevel(inForce: LevelInForce, known: KnownLevels, emit: Emit): void {
  const word = known.load(inForce.server)
  // What is none of our words was not left by a process like this one.
  const before = levels.find((level) => level === word)
  if (before !== inForce.level) void remember(inForce, before, known, emit)
}

/** Never rejects: calls say their level themselves. */
async function remember(
  { server, level }: LevelInForce,
  before: CaptureLevel | undefined,
  known: KnownLevels,
  emit: Emit,
): Promise<void> {
  try {
    if (before !== undefined) await emitChange({ server, before, after: level }, emit)
    await known.save(server, level)
  } catch (error) {
    if (before === undefined) return void codeOf(error)
    diagnose('AFD_LEVEL_NOT_RECORDED', `that the capture level changed could not be recorded (${codeOf(error)})`)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}

interface LevelChange {
  server: string
  before: CaptureLevel
  after: CaptureLevel
}

async function emitChange({ server, before, after }: LevelChange, emit: Emit): Promise<void> {
  const hash = (level: string) => createHash('sha256').update(JSON.stringify({ level })).digest('base64')
  const detail = { subject: 'config', event: 'changed', before: hash(before), after: hash(after) } as const
  const input = Buffer.from(JSON.stringify({ changed: ['level'], level: { before, after } }))
  await emit({ kind: 'change', server: { name: server }, detail }, { input })
}
