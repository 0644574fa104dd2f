/** RSA decryption with PKCS #1 v1.5 padding, of what `rsadecrypt` is given: base64 and a PEM key (PKCS #1 or PKCS #8). */
import { decodeBase64, decodeUtf8 } from './base64.js'
import { refuse } from './signature.js'

interface PrivateKey {
  readonly modulus: bigint
  readonly exponent: bigint
}

const KEY_BITS_MAX = 8192

export function decryptRsa(ciphertext: string, pem: string): string {
  const cipher = decodeBase64(ciphertext.trim()) ?? refuse('ciphertext is not base64', 0)
  const key = readPrivateKey(pem)
  const size = Math.ceil(key.modulus.toString(2).length / 8)
  if (key.modulus.toString(2).length > KEY_BITS_MAX) return refuse(`keys of more than ${KEY_BITS_MAX} bits are not supported`, 1)
  const message = toBytes(power(toInteger(cipher), key.exponent, key.modulus), size)
  const separator = message.indexOf(0, 2)
  if (message[0] !== 0 || message[1] !== 2 || separator < 10) return refuse('failed to decrypt: decryption error', 0)
  return decodeUtf8(message.slice(separator + 1)) ?? refuse('the decrypted text is not valid UTF-8', 0)
}

function readPrivateKey(pem: string): PrivateKey {
  const match = /-----BEGIN (RSA )?PRIVATE KEY-----([\s\S]*?)-----END (?:RSA )?PRIVATE KEY-----/.exec(pem)
  const bytes = match === null ? undefined : decodeBase64((match[2] ?? '').replace(/\s/g, ''))
  if (bytes === undefined) return refuse('failed to parse key: no key found', 1)
  const outer = readSequence(bytes)
  const members = match?.[1] === undefined ? readSequence(outer[2]?.content ?? new Uint8Array()) : outer
  const modulus = members[1]
  const exponent = members[3]
  if (modulus?.tag !== 2 || exponent?.tag !== 2) return refuse('failed to parse key: invalid structure', 1)
  return { modulus: toInteger(modulus.content), exponent: toInteger(exponent.content) }
}

interface Element {
  readonly tag: number
  readonly content: Uint8Array
}

/** The elements of a DER sequence. */
function readSequence(bytes: Uint8Array): Element[] {
  const outer = readElement(bytes, 0)
  if (outer.element.tag !== 0x30) return refuse('failed to parse key: invalid structure', 1)
  const elements: Element[] = []
  for (let at = 0; at < outer.element.content.length; ) {
    const { element, end } = readElement(outer.element.content, at)
    elements.push(element)
    at = end
  }
  return elements
}

function readElement(bytes: Uint8Array, at: number): { readonly element: Element; readonly end: number } {
  const tag = bytes[at] ?? 0
  const first = bytes[at + 1] ?? 0
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  const length = first < 0x80 ? first : bytes.slice(at + 2, at + 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0)
  const start = at + 2 + lengthBytes
  if (lengthBytes > 4 || start + length > bytes.length) return refuse('failed to parse key: invalid structure', 1)
  return { element: { tag, content: bytes.slice(start, start + length) }, end: start + length }
}

function toInteger(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
}

function toBytes(value: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let at = size - 1, rest = value; at >= 0; at--, rest >>= 8n) bytes[at] = Number(rest & 0xffn)
  return bytes
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  let square = base % modulus
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}
