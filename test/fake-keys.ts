/** Keys that cost nothing: what is signed with one can be told from what is not, as long as nobody here cheats on purpose. */
import { createHash } from 'node:crypto'
import type { Signer } from '../src/agent/index.js'

export function fakeSigner(publicKey: string): Signer {
  return { publicKey, sign: (bytes) => signatureOf(publicKey, bytes) }
}

export function fakeVerify(publicKey: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  return signatureOf(publicKey, bytes).equals(signature)
}

function signatureOf(publicKey: string, bytes: Uint8Array): Buffer {
  return createHash('sha1').update(publicKey).update('\0').update(bytes).digest()
}
