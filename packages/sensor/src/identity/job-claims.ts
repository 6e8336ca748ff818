import type { Actor, Attribute } from '@affidavit/evidence/record/identity-section'

/** Claims by which GitHub Actions and GitLab CI tell which run of which pipeline a token, or an actor in one, stands for. */
const runClaims = ['run_id', 'pipeline_id']
const keptClaims = [
  'repository', 'project_path', 'workflow', 'ref', 'run_id', 'run_attempt', 'pipeline_id', 'pipeline_source', 'job_id',
  'environment', 'event_name', 'actor', 'user_login',
] // biome-ignore format: one list

/** Nothing where the claims are not those of a run. Numbers are taken too: GitLab's ids have been both. */
export function describeJob(
  claims: Record<string, unknown>,
  keep: (text: string) => string,
): Pick<Actor, 'kind' | 'attributes'> {
  if (!runClaims.some((name) => textOf(claims[name]) !== undefined)) return {}
  const attributes = keptClaims.flatMap((name): Attribute[] => {
    const value = textOf(claims[name])
    const kept = value === undefined ? '' : keep(value)
    return kept === '' ? [] : [{ name, value: kept }]
  })
  return { kind: 'job', attributes }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}
