import { resolve } from 'node:path'
import { z } from 'zod'
import type { AssignedRoles, RoleRule } from '../identity/token-role.ts'
import { loadYamlConfig } from './yaml-config.ts'

/** The key `role` of an issuer: a claim of its tokens, the configuration, or a directory (docs/IDENTITY.md). */

const name = z.string().min(1).max(256)
const claim = z.union([name, z.array(name).min(1).max(8)])
export const rolesBySubject = z.record(name, name)

export const roleSchema = z.union(
  [
    z.strictObject({ claim: claim.describe('by name or path; default roles') }),
    z.strictObject({ value: name.describe('of whoever has a verified token of this issuer') }),
    z.strictObject({ subjects: rolesBySubject.describe('by sub; a final * stands for any rest') }),
    z.strictObject({
      directory: z.string().min(1).describe('a file of its own that maps subjects and groups to roles'),
      groupsClaim: claim.optional().describe('where tokens say which groups their subject is in; default groups'),
    }),
  ],
  'must have one of claim, value, subjects and directory',
)

export type RoleConfig = z.infer<typeof roleSchema>

const directorySchema = z
  .strictObject({ subjects: rolesBySubject.optional(), groups: rolesBySubject.optional() })
  .refine(({ subjects, groups }) => subjects !== undefined || groups !== undefined, 'maps neither subjects nor groups')
const remedy = 'It maps names to roles: subjects: { alice: auditor }, groups: { crm-admins: admin } (docs/IDENTITY.md).'

/** The same key with its file named from the root; `folder` is the configuration file's. */
export function resolveRole(role: RoleConfig, folder: string): RoleConfig {
  return 'directory' in role ? { ...role, directory: resolve(folder, role.directory) } : role
}

/** Throws UsageError where the directory cannot be read. */
export function toRoleRule(role: RoleConfig): RoleRule {
  if ('claim' in role) return { claim: [role.claim].flat() }
  if ('directory' in role) {
    const { subjects = {}, groups = {} } = loadYamlConfig(role.directory, { schema: directorySchema, remedy })
    const groupsClaim = [role.groupsClaim ?? 'groups'].flat()
    const given = { subjects: new Map(Object.entries(subjects)), groups: new Map(Object.entries(groups)), groupsClaim }
    return { from: 'directory', source: `directory ${role.directory}`, ...given }
  }
  return assignRoles('value' in role ? { '*': role.value } : role.subjects)
}

/** Roles that the configuration itself gives. */
export function assignRoles(subjects: z.infer<typeof rolesBySubject>): AssignedRoles {
  const given = { subjects: new Map(Object.entries(subjects)), groups: new Map<string, string>(), groupsClaim: [] }
  return { from: 'configuration', source: 'configuration', ...given }
}
