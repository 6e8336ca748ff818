import { z } from 'zod'
import { gatewaySchema } from './gateway-config.ts'

/** The configuration as JSON Schema 2020-12, for editors. */
export function describeGatewayConfig(): object {
  const schema = z.toJSONSchema(gatewaySchema, { target: 'draft-2020-12', io: 'input', unrepresentable: 'any' })
  return { ...schema, title: 'affidavit.yaml', description: 'Configuration of affidavit gateway and affidavit up.' }
}
