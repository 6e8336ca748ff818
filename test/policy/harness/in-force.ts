import type { PolicyInForce } from '../../../packages/sensor/src/capture/ask-policy.ts'
import type { Mode } from '../../../packages/sensor/src/policy/decision-point.ts'
import { openEmbedded } from '../../../packages/sensor/src/policy/embedded.ts'
import { SessionCounters } from '../../../packages/sensor/src/policy/session-counters.ts'

/** Policies in force over a gateway of the test's own. */
export async function inForce(text: string, mode: Mode = 'enforce'): Promise<PolicyInForce> {
  const source = { policies: [{ name: 'test.cedar', text }], schema: undefined }
  return { mode, point: await openEmbedded({ source, onError: 'deny' }), sessions: new SessionCounters() }
}

/** Everything goes but one tool. */
export const noDrop = `
@id("all") permit(principal, action, resource);
@id("no-drop") @reason("Nothing is dropped here.")
forbid(principal, action in Action::"tools/call", resource) when { resource.name == "drop" };`
