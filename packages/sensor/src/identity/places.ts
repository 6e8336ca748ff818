import { systemCodeOf } from './proc-stat.ts'
import { readBounded } from './read-bounded.ts'
import { type Place, placeMembers, type Surroundings } from './surroundings.ts'

/** Where a member of the environment is read: Kubernetes' downward API gives variables and files. */
export type PlaceSource = { env: string } | { file: string } | { value: string }
export type PlaceSources = { [M in keyof Place]?: PlaceSource | undefined }

export interface PlaceReading {
  configured: PlaceSources
  env: NodeJS.ProcessEnv
  redact: (text: string) => string
  /** Where it could not be read, and that nothing else was. */
  diagnose: (code: string, sentence: string) => void
}

const valueBytesMax = 1024
const namespaceFile = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'

/** What pods are usually told, where nothing else is configured: by convention for the variables, by Kubernetes for the file. */
function usualSources(env: NodeJS.ProcessEnv): PlaceSources {
  if (env.KUBERNETES_SERVICE_HOST === undefined) return {}
  return {
    pod: { env: env.POD_NAME === undefined ? 'HOSTNAME' : 'POD_NAME' },
    namespace: env.POD_NAMESPACE === undefined ? { file: namespaceFile } : { env: 'POD_NAMESPACE' },
    ...(env.NODE_NAME === undefined ? {} : { node: { env: 'NODE_NAME' } }),
  }
}

/** Reads what is configured, then what is usual. Never rejects: a source that gives nothing leaves its member out. */
export async function learnPlaces({ learn }: Pick<Surroundings, 'learn'>, reading: PlaceReading): Promise<void> {
  const usual = usualSources(reading.env)
  for (const member of placeMembers) {
    const configured = reading.configured[member]
    const source = configured ?? usual[member]
    if (source === undefined) continue
    const value = await readPlace(source, reading)
    if (value !== undefined) learn({ [member]: reading.redact(value) }, nameSource(source))
    else if (configured !== undefined)
      reading.diagnose('AFD_PLACE_UNREADABLE', `environment.${member} is left out: ${nameSource(source)} gives nothing`)
  }
}

function nameSource(source: PlaceSource): string {
  if ('env' in source) return `environment variable ${source.env}`
  return 'file' in source ? `file ${source.file}` : 'configuration'
}

async function readPlace(source: PlaceSource, { env }: PlaceReading): Promise<string | undefined> {
  const text = 'env' in source ? env[source.env] : 'file' in source ? await readFileText(source.file) : source.value
  const value = text?.trim()
  return value === '' ? undefined : value
}

async function readFileText(path: string): Promise<string | undefined> {
  try {
    return (await readBounded(path, valueBytesMax)).text
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error
    return undefined
  }
}
