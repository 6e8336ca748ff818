import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

/** A client's key for DPoP, and the proofs that it can make: good ones, and with whatever replaced. */
export interface ProofKey {
  thumbprint: string
  publicJwk: JWK
  privateJwk: JWK
  prove(
    about: { token: string; url: string; method?: string },
    changes?: { claims?: object; header?: object },
  ): Promise<string>
}

export async function createProofKey(alg = 'ES256'): Promise<ProofKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const [publicJwk, privateJwk] = [await exportJWK(publicKey), await exportJWK(privateKey)]
  return {
    thumbprint: await calculateJwkThumbprint(publicJwk),
    publicJwk,
    privateJwk,
    prove: ({ token, url, method = 'POST' }, { claims = {}, header = {} } = {}) => {
      const usual = {
        jti: crypto.randomUUID(),
        htm: method,
        htu: url,
        iat: Math.floor(Date.now() / 1000),
        ath: createHash('sha256').update(token).digest('base64url'),
      }
      return new SignJWT(JSON.parse(JSON.stringify({ ...usual, ...claims })))
        .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk: publicJwk, ...header })
        .sign(privateKey)
    },
  }
}
