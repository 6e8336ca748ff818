/** What an authorization server knows us by. */
export interface ClientCredentials {
  clientId: string
  /** Read for every request, so that a rotated secret counts at once. Undefined: it cannot be read. */
  clientSecret: () => string | undefined
  clientAuthentication: 'basic' | 'post'
}

/**
 * Header fields for a form that authenticates the client (RFC 6749 §2.3.1); `post` puts the secret into the form instead.
 * Undefined where the secret cannot be read.
 */
export function authenticateClient(
  { clientId, clientSecret, clientAuthentication }: ClientCredentials,
  form: URLSearchParams,
): Record<string, string> | undefined {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const secret = clientSecret()
  if (secret === undefined) return undefined
  if (clientAuthentication === 'post') {
    form.set('client_id', clientId)
    form.set('client_secret', secret)
    return headers
  }
  // In the header both are form-encoded first.
  const credentials = Buffer.from(`${formEncode(clientId)}:${formEncode(secret)}`).toString('base64')
  return { ...headers, authorization: `Basic ${credentials}` }
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}
