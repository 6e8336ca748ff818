import { join } from 'node:path'

const examples = join(import.meta.dirname, '../../../examples/middleware')

/** Arguments with which Node runs an example from sources. */
export const argsFor = (name: string) => ['--conditions=@affidavit/source', join(examples, `${name}.ts`)]
