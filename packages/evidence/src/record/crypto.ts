/**
 * The cryptography that record, log and verify need, passed in so that this package runs in browsers too.
 * Node's implementation is `@affidavit/sensor/crypto/node`.
 */

/** SHA-256 over the concatenation of the parts; 32 bytes. */
export type Sha256 = (...parts: Uint8Array[]) => Uint8Array

/** HMAC-SHA-256 (RFC 2104) over the concatenation of the parts; 32 bytes. */
export type HmacSha256 = (key: Uint8Array, ...parts: Uint8Array[]) => Uint8Array

/** Ed25519 (RFC 8032) with a raw 32-byte public key. Never throws: a malformed key or signature is false. */
export type VerifyEd25519 = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>

/** What opens and seals bodies; only machines that hold keys have it. */
export interface SealingCrypto {
  /** HKDF-SHA-256 (RFC 5869) with an empty salt. */
  hkdf(secret: Uint8Array, purpose: string, length: number): Uint8Array
  /** AES-256-GCM, zero nonce (every key is used once), tag appended. */
  seal(key: Uint8Array, plaintext: Uint8Array): Uint8Array
  /** Throws RecordError `sealed_corrupt` where the tag does not match. */
  open(key: Uint8Array, sealed: Uint8Array): Uint8Array
}
