/** base64 and hashes. */
import { hmac } from '@noble/hashes/hmac.js'
import { md5 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { type Bytes, toArray } from '../bytes.js'
import { refuse } from '../failure.js'
import { stringValue } from '../values.js'
import { bytesOf, type FunctionTable, ofType } from './signature.js'

export function toHex(array: Uint8Array): string {
  return Array.from(array, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export function encodeBase64(bytes: Bytes): Bytes {
  return btoa(bytes)
}

const PADDED = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Line ends are skipped, as Go does. @throws FunctionRefusal */
export function decodeBase64(text: Bytes): Bytes {
  const plain = text.replace(/[\r\n]/g, '')
  if (PADDED.test(plain)) return atob(plain)
  const stray = /[^A-Za-z0-9+/]/.exec(plain)?.index ?? 0
  return refuse(`illegal base64 data at input byte ${stray}`)
}

const toUrl = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_')
const fromUrl = (text: string): string => text.replaceAll(/[+/]/g, '!').replaceAll('-', '+').replaceAll('_', '/')

const onOne = (change: (bytes: Bytes) => Bytes) => ofType('string', 1, ([input]) => stringValue(change(bytesOf(input))))

export const ENCODING_FUNCTIONS: FunctionTable = {
  base64Encode: onOne(encodeBase64),
  base64Decode: onOne(decodeBase64),
  base64URLEncode: onOne((bytes) => toUrl(encodeBase64(bytes))),
  base64URLDecode: onOne((text) => decodeBase64(fromUrl(text))),
  sha256Hex: onOne((bytes) => toHex(sha256(toArray(bytes)))),
  md5sum: onOne((bytes) => toHex(md5(toArray(bytes)))),
  hmacSHA256Hex: ofType('string', 2, ([message, key]) =>
    stringValue(toHex(hmac(sha256, toArray(bytesOf(key)), toArray(bytesOf(message))))),
  ),
}
