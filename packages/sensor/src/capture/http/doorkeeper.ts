import type { Socket } from 'node:net'
import type { GuardRequest } from '../../identity/admission.ts'
import type { DescribeBearer } from '../../identity/bearer.ts'
import type { CredentialObserver } from '../../identity/credential-observer.ts'
import type { Principals } from '../../identity/principals.ts'
import type { ResourceGuard } from '../../identity/resource-guard.ts'
import type { CaptureContext } from '../context.ts'
import { keepRecords } from './auth-records.ts'
import { plainError } from './own-answer.ts'
import { certificateOf, originsOf } from './presented.ts'
import { headerOf, pairsOf, type RawHeaders } from './raw-headers.ts'

/** What is known of a request before its body is read. */
export interface Arrival {
  method: string
  /** Path and query as the client sent them. */
  target: string
  rawHeaders: RawHeaders
  socket: Socket
}

/** Who sent a request, and what the upstream gets to see in the place of the credential; or what is answered instead. */
export type Admission = Admitted | Answered

export interface Admitted {
  verdict: 'admitted'
  principals: Principals
  /** Absent: the client's own goes on. */
  ours?: OurCredential
}

export interface OurCredential {
  authorization: string
  /** The upstream refused it. */
  forget: () => void
}

export interface Answered {
  verdict: 'answered'
  status: number
  headers: [name: string, value: string][]
  body: Uint8Array
}

/** Judges requests to one upstream. What has nothing to count and nothing to close only admits. */
export interface Doorkeeper {
  admit(arrival: Arrival): Promise<Admission> | Admission
  /** To be called every second or so. */
  sweep?(): Promise<void>
  /** Records what was counted. Whoever is judged later is recorded at once. */
  finish?(): Promise<void>
  close?(): void
}

/** Mode `inline`: everybody is let through to the server's own judgement, and described as far as the credential goes. */
export function letEverybodyIn(describe: DescribeBearer): Doorkeeper {
  return {
    admit: ({ rawHeaders }) => ({
      verdict: 'admitted',
      principals: describe(headerOf(rawHeaders, 'authorization')),
    }),
  }
}

/** Mode `inline` with trust: everybody is let through all the same, and what the credential says is verified for the record. */
export function watchCredentials(observer: CredentialObserver, context: CaptureContext): Doorkeeper {
  const records = keepRecords(observer, context)
  return {
    async admit(arrival) {
      const { principals, events } = await observer.observe(toGuardRequest(arrival))
      // Not awaited: the stream keeps the order, and the record of the request itself is waited for.
      void records.record(events)
      return { verdict: 'admitted', principals }
    },
    sweep: records.sweep,
    finish: records.finish,
    close: () => observer.close(),
  }
}

const metadataPrefix = /^\/\.well-known\/oauth-protected-resource(?:[/?]|$)/

/** Mode `resource`: whoever brings no token for this very resource is answered here. */
export function guardResource(guard: ResourceGuard, context: CaptureContext): Doorkeeper {
  const metadata = Buffer.from(JSON.stringify(guard.metadata()))
  const records = keepRecords(guard, context)
  return {
    async admit(arrival) {
      const { method, target } = arrival
      // Public by nature: it says where to get a token.
      if (metadataPrefix.test(target) && (method === 'GET' || method === 'HEAD'))
        return { verdict: 'answered', status: 200, headers: [['access-control-allow-origin', '*']], body: metadata }
      const admission = await guard.admit(toGuardRequest(arrival))
      // Not awaited: the stream keeps the order, and the record of the request itself is waited for.
      const recorded = records.record(admission.events)
      if (admission.verdict === 'admitted') {
        const { principals, authorization, forget } = admission
        return { verdict: 'admitted', principals, ours: { authorization, forget } }
      }
      await recorded
      const { status, headers, code, sentence } = admission
      return { verdict: 'answered', status, headers, body: plainError(code, `${sentence}.`) }
    },
    sweep: records.sweep,
    finish: records.finish,
    close: () => guard.close(),
  }
}

function toGuardRequest({ method, target, rawHeaders, socket }: Arrival): GuardRequest {
  return {
    method,
    target,
    headers: pairsOf(rawHeaders),
    origins: () => originsOf(rawHeaders, socket),
    certificate: () => certificateOf(socket),
    nowMs: Date.now(),
  }
}
