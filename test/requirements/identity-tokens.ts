export const requirements = [
  { id: 'ID-1', text: 'Inline with trust, each credential is verified for the record: its actors become verified with method and source, or stay claimed with the code of the reason. No call is stopped.', source: 'DESIGN §2 inv. 4, 6; §3 field 3' },
  { id: 'ID-2', text: 'User, workload and role are judged each alone; a role says whether it comes from a claim, and which, from the configuration or from a directory of subjects and groups.', source: 'RFC 9068 §2.2; DESIGN §3 field 3' },
  { id: 'ID-3', text: 'The token of a CI job makes its run the initiator: a job, first of the delegation, with what GitHub or GitLab says of it.', source: 'DESIGN §3 delegation' },
  { id: 'ID-4', text: 'The token of a Kubernetes service account makes the account the workload, with namespace, pod and node.', source: 'KEP-1205, KEP-4193' },
  { id: 'ID-5', text: 'A record refers to a token by fingerprint, issuer, subject, audience, client, number and expiry; nothing of the token or of a proof is in any file.', source: 'DESIGN §2 inv. 3' },
  { id: 'ID-6', text: 'A token is told once, verified or refused, and costs no signature check in calls that follow, nor one each in calls at the same time.', source: 'DESIGN §3 kinds, §9' },
  { id: 'ID-7', text: 'Hostile credentials of every kind are refused, each with a code that the documentation explains; good ones are not.', source: 'RFC 8725; RFC 9449 §4.3, §7.1; RFC 8705 §3' },
  { id: 'ID-8', text: 'Opaque tokens are verified by asking their issuer; the answer counts until the token expires, and at most as long as configured; an endpoint that is down admits nobody, is left alone for a moment, and leaves the record claimed.', source: 'RFC 7662 §2, §4' },
  { id: 'ID-9', text: 'A token that is bound to a key or certificate counts with its proof alone; a proof counts once, for one token, method and address, and the memory of proofs is bounded.', source: 'RFC 9449 §4.3, §11.1; RFC 8705 §3' },
  { id: 'ID-10', text: 'An issuer that is down for an hour fails no call whose key is known, and nobody waits for it for long.', source: 'DESIGN §2 inv. 1, 7' },
  { id: 'ID-11', text: 'Trust is configured by issuer, and mistakes in it name key and remedy: without an audience, or for jobs of everybody, it is refused; a change of it counts at once and is recorded.', source: 'DESIGN §9' },
] as const // biome-ignore format: one row, one line
