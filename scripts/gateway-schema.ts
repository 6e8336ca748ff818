import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeGatewayConfig } from '../packages/sensor/src/cli/gateway-schema.ts'

/** Writes docs/schema/gateway.schema.json; a test compares it with what the program takes. */
const path = join(import.meta.dirname, '../docs/schema/gateway.schema.json')
writeFileSync(path, `${JSON.stringify(describeGatewayConfig(), undefined, 2)}\n`)
