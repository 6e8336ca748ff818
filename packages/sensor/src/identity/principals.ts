import type { IdentitySection } from '@affidavit/evidence/record/identity-section'

/** Who is behind a request, but for the agent, which names itself in the message. */
export type Principals = Omit<IdentitySection, 'agent'>
