import type { Vantage } from '@affidavit/evidence/record/kinds'
import { type AuditOptions, verifyOptions } from './options.ts'
import { Sensor } from './sensor.ts'

/** Servers that are made for a single request share the stream of the process: what says the same is the same sensor. */
const sensors = new Map<string, Sensor>()
let isWatchingExit = false

/** The process's sensor for these options, opened where there is none. Throws TypeError (verifyOptions). */
export function sensorFor(options: AuditOptions, vantage: Vantage): Sensor {
  verifyOptions(options)
  const key = keyOf(options, vantage)
  const known = sensors.get(key)
  if (known !== undefined) return known
  const sensor = new Sensor(options, vantage)
  sensors.set(key, sensor)
  watchExit()
  return sensor
}

/** Closes the sensor; the next one with its options begins a new stream. */
export async function closeSensor(sensor: Sensor): Promise<void> {
  for (const [key, each] of sensors) if (each === sensor) sensors.delete(key)
  await sensor.close()
}

function keyOf(
  { serverName, home, level, failOpen, redact, catalogue, limits, collector }: AuditOptions,
  vantage: Vantage,
) {
  const files = [redact?.patterns, catalogue?.files, catalogue?.starter, catalogue !== undefined]
  return JSON.stringify([vantage, serverName, home, level, failOpen, files, limits?.spoolBytes, collector])
}

/**
 * When the process has nothing more to do. A process that is killed or calls process.exit() leaves its stream without an
 * end; what was answered is durable all the same, and recovery ends what was open.
 */
function watchExit(): void {
  if (isWatchingExit) return
  isWatchingExit = true
  process.on('beforeExit', () => {
    for (const sensor of sensors.values()) void closeSensor(sensor)
  })
}
