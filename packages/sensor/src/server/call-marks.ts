/** Marks that carry the id of a call to where it goes on, so that a database's or a service's own log joins the record. */

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** A comment for an SQL statement: `affidavit:<call id>` between comment marks. Throws TypeError where the id is not one of a call. */
export function sqlComment(callId: string): string {
  return `/* affidavit:${verifyId(callId)} */`
}

/** Header fields for requests to services downstream. Throws TypeError where the id is not one of a call. */
export function callHeaders(callId: string): { 'affidavit-call-id': string } {
  return { 'affidavit-call-id': verifyId(callId) }
}

/** `_meta` for requests to other servers of MCP, on whatever transport. Throws TypeError where the id is not one of a call. */
export function callMeta(callId: string): { 'affidavit/parent-call': string } {
  return { 'affidavit/parent-call': verifyId(callId) }
}

/** It becomes part of a statement: nothing else may ever stand there. */
function verifyId(callId: string): string {
  if (!uuid.test(callId)) throw new TypeError('affidavit: what was given is not the id of a call')
  return callId
}
