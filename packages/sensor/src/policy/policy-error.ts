export type PolicyErrorCode =
  | 'AFD_PLUGIN_MISSING' // what the configuration asks for is not installed
  | 'AFD_POLICY_INVALID' // a policy, or the schema, is not what the engine takes
  | 'AFD_POLICY_PIN' // the set is a good one, and not the one that the configuration names by its hash

/** Policies cannot be put in force. Says where and what, and what to do; never quotes a request. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly code: PolicyErrorCode
  readonly retry = false
  readonly remedy: string

  constructor(code: PolicyErrorCode, message: string, remedy: string) {
    super(message)
    this.code = code
    this.remedy = remedy
  }
}
