/** Hashes, codes and passwords. Source: Sprig's documentation, "Cryptographic and Security Functions". */
import { cbc } from '@noble/ciphers/aes.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha1 } from '@noble/hashes/legacy.js'
import { scrypt } from '@noble/hashes/scrypt.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { encodeBase64 as bcryptBase64, hashSync } from 'bcryptjs'
import { type Bytes, fromArray, fromText, runesOf, toArray, toText } from '../../bytes.js'
import { FunctionRefusal, refuse } from '../../failure.js'
import { ANY, stringValue, type Value } from '../../values.js'
import { decodeBase64, encodeBase64, toHex } from '../encoding.js'
import { bytesOf, type CallContext, type FunctionTable, fixed, integerOf, ofType, variadic } from '../signature.js'

const BASE_32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function encodeBase32(bytes: Bytes): Bytes {
  const bits = Array.from(bytes, (byte) => byte.charCodeAt(0).toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{1,5}/g) ?? []
  const text = groups.map((group) => BASE_32[Number.parseInt(group.padEnd(5, '0'), 2)]).join('')
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=')
}

function decodeBase32(text: Bytes): Bytes {
  if (!/^(?:[A-Z2-7]{8})*(?:[A-Z2-7]{2}={6}|[A-Z2-7]{4}={4}|[A-Z2-7]{5}={3}|[A-Z2-7]{7}=)?$/.test(text)) {
    return refuse(`illegal base32 data at input byte ${/[^A-Z2-7]/.exec(text)?.index ?? text.length}`)
  }
  const bits = Array.from(text.replace(/=+$/, ''), (char) => BASE_32.indexOf(char).toString(2).padStart(5, '0')).join('')
  return (bits.match(/.{8}/g) ?? []).map((byte) => String.fromCharCode(Number.parseInt(byte, 2))).join('')
}

function adler32(bytes: Bytes): number {
  let [a, b] = [1, 0]
  for (let at = 0; at < bytes.length; at++) {
    a = (a + bytes.charCodeAt(at)) % 65521
    b = (b + a) % 65521
  }
  return b * 65536 + a
}

/** What cannot be decoded is answered with the reason instead of a failure. */
function orReason(decode: (text: Bytes) => Bytes) {
  return ofType('string', 1, ([text]) => {
    try {
      return stringValue(decode(bytesOf(text)))
    } catch (error) {
      if (error instanceof FunctionRefusal) return stringValue(error.message)
      throw error
    }
  })
}

/** The password itself, cut or filled with zeros, is the key. */
function aesKey(password: Bytes): Uint8Array {
  const key = new Uint8Array(32)
  key.set(toArray(password).subarray(0, 32))
  return key
}

function encryptAes([password, text]: readonly Value[], context: CallContext): Value {
  const iv = context.random(16)
  const sealed = cbc(aesKey(bytesOf(password)), iv).encrypt(toArray(bytesOf(text)))
  return stringValue(encodeBase64(fromArray(iv) + fromArray(sealed)))
}

function decryptAes([password, text]: readonly Value[]): Value {
  const bytes = toArray(decodeBase64(bytesOf(text)))
  try {
    return stringValue(fromArray(cbc(aesKey(bytesOf(password)), bytes.subarray(0, 16)).decrypt(bytes.subarray(16))))
  } catch {
    return refuse('what was sealed cannot be opened with this password')
  }
}

function bcrypt(password: Bytes, context: CallContext): Bytes {
  // 64 rounds of a thousand: about what a tenth of a second of arithmetic makes, charged as such.
  context.produce(1 << 20)
  return hashSync(toText(password), `$2a$10$${bcryptBase64(context.random(16), 16)}`)
}

/** Templates of the Master Password algorithm, by the kind of password. */
const PASSWORD_TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  maximum: ['anoxxxxxxxxxxxxxxxxx', 'axxxxxxxxxxxxxxxxxno'],
  long: [
    'CvcvnoCvcvCvcv',
    'CvcvCvcvnoCvcv',
    'CvcvCvcvCvcvno',
    'CvccnoCvcvCvcv',
    'CvccCvcvnoCvcv',
    'CvccCvcvCvcvno',
    'CvcvnoCvccCvcv',
    'CvcvCvccnoCvcv',
    'CvcvCvccCvcvno',
    'CvcvnoCvcvCvcc',
    'CvcvCvcvnoCvcc',
    'CvcvCvcvCvccno',
    'CvccnoCvccCvcv',
    'CvccCvccnoCvcv',
    'CvccCvccCvcvno',
    'CvcvnoCvccCvcc',
    'CvcvCvccnoCvcc',
    'CvcvCvccCvccno',
    'CvccnoCvcvCvcc',
    'CvccCvcvnoCvcc',
    'CvccCvcvCvccno',
  ],
  medium: ['CvcnoCvc', 'CvcCvcno'],
  short: ['Cvcn'],
  basic: ['aaanaaan', 'aannaaan', 'aaannaaa'],
  pin: ['nnnn'],
}
const PASSWORD_CHARACTERS: Readonly<Record<string, string>> = {
  V: 'AEIOU',
  C: 'BCDFGHJKLMNPQRSTVWXYZ',
  v: 'aeiou',
  c: 'bcdfghjklmnpqrstvwxyz',
  A: 'AEIOUBCDFGHJKLMNPQRSTVWXYZ',
  a: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz',
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()',
}
const MASTER_PASSWORD = 'com.lyndir.masterpassword'

function uint32(value: number): Bytes {
  return [24, 16, 8, 0].map((shift) => String.fromCharCode((value >>> shift) & 255)).join('')
}

function derivePassword([counter, kind, password, user, site]: readonly Value[], context: CallContext): Value {
  const templates = PASSWORD_TEMPLATES[bytesOf(kind)]
  if (templates === undefined) return stringValue(`cannot find password template ${bytesOf(kind)}`)
  context.produce(16 << 20)
  const name = (text: Bytes): Bytes => uint32(text.length) + text
  const key = scrypt(toArray(bytesOf(password)), toArray(MASTER_PASSWORD + name(bytesOf(user))), { N: 32768, r: 8, p: 2, dkLen: 64 })
  const seed = hmac(sha256, key, toArray(MASTER_PASSWORD + name(bytesOf(site)) + uint32(Number(integerOf(counter)))))
  const template = templates[seed[0]! % templates.length] ?? ''
  const text = Array.from(template, (kindOfChar, at) => {
    const characters = PASSWORD_CHARACTERS[kindOfChar] ?? ''
    return characters[seed[at + 1]! % characters.length]
  })
  return stringValue(text.join(''))
}

function shuffle(bytes: Bytes, context: CallContext): Bytes {
  const runes = [...runesOf(bytes)]
  const random = context.random(runes.length * 2)
  for (let at = runes.length - 1; at > 0; at--) {
    const other = ((random[at * 2]! << 8) | random[at * 2 + 1]!) % (at + 1)
    ;[runes[at], runes[other]] = [runes[other]!, runes[at]!]
  }
  return fromText(runes.join(''))
}

const hashed = (hash: (bytes: Uint8Array) => Uint8Array) =>
  ofType('string', 1, ([text]) => stringValue(toHex(hash(toArray(bytesOf(text))))))

/** Certificates are no matter of a template: each rendering would make another. */
const CERTIFICATES = [
  'genPrivateKey',
  'genCA',
  'genCAWithKey',
  'genSelfSignedCert',
  'genSelfSignedCertWithKey',
  'genSignedCert',
  'genSignedCertWithKey',
  'buildCustomCert',
]

export const SPRIG_CRYPTO: FunctionTable = {
  b64enc: ofType('string', 1, ([text]) => stringValue(encodeBase64(bytesOf(text)))),
  b64dec: orReason(decodeBase64),
  b32enc: ofType('string', 1, ([text]) => stringValue(encodeBase32(bytesOf(text)))),
  b32dec: orReason(decodeBase32),
  sha1sum: hashed(sha1),
  sha256sum: hashed(sha256),
  sha512sum: hashed(sha512),
  adler32sum: ofType('string', 1, ([text]) => stringValue(String(adler32(bytesOf(text))))),
  bcrypt: ofType('string', 1, ([password], context) => stringValue(bcrypt(bytesOf(password), context))),
  htpasswd: ofType('string', 2, ([user, password], context) => {
    if (bytesOf(user).includes(':')) return stringValue(`invalid username: ${bytesOf(user)}`)
    return stringValue(`${bytesOf(user)}:${bcrypt(bytesOf(password), context)}`)
  }),
  encryptAES: ofType('string', 2, encryptAes),
  decryptAES: ofType('string', 2, decryptAes),
  derivePassword: fixed(['uint32', 'string', 'string', 'string', 'string'], derivePassword),
  shuffle: ofType('string', 1, ([text], context) => stringValue(shuffle(bytesOf(text), context))),
  ...Object.fromEntries(
    CERTIFICATES.map((name) => [
      name,
      variadic([ANY], () => refuse('a template makes no keys or certificates; commit them or read a variable')),
    ]),
  ),
}
