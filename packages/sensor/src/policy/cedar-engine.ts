import { PolicyError } from './policy-error.ts'

/** The part of Cedar's interface that is used. */
export type Cedar = Pick<
  typeof import('@cedar-policy/cedar-wasm/nodejs'),
  | 'getCedarVersion'
  | 'policySetTextToParts'
  | 'policyToJson'
  | 'policyToText'
  | 'preparsePolicySet'
  | 'statefulIsAuthorized'
  | 'validate'
  | 'checkParseSchema'
>

const packageName = '@cedar-policy/cedar-wasm'

/** Loaded where a configuration asks for it. Throws PolicyError `AFD_PLUGIN_MISSING` where it is not installed. */
export async function loadCedar(): Promise<Cedar> {
  try {
    return await import('@cedar-policy/cedar-wasm/nodejs')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error
    throw new PolicyError(
      'AFD_PLUGIN_MISSING',
      `policies are configured, and the package ${packageName} that judges them is not installed (${code})`,
      `Install it beside affidavit: npm install ${packageName}@4.`,
    )
  }
}
