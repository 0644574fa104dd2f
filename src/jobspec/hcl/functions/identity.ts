/** Hashes, UUIDs and secrets. What Nomad draws at random is made from the file's path here, so that a commit means one job. */
import { stringValue } from '../values.js'
import { encodeHex, encodeUtf8 } from './base64.js'
import { md5, sha1, sha256, sha512 } from './hashes.js'
import { decryptRsa } from './rsa.js'
import { asText, type FunctionSignature, type FunctionTable, number, refuse, text } from './signature.js'
import { nameUuid, UUID } from './uuid.js'

const NAMESPACES: Readonly<Record<string, string>> = {
  dns: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  url: '6ba7b811-9dad-11d1-80b4-00c04fd430c8',
  oid: '6ba7b812-9dad-11d1-80b4-00c04fd430c8',
  x500: '6ba7b814-9dad-11d1-80b4-00c04fd430c8',
}
/** Namespace of the ids that stand in for random ones. */
const RANDOM_NAMESPACE = '4f1b6b2e-6f0c-5d9b-9c1e-64726f766572'

/** Tens of milliseconds with the largest key. */
const RSA_STEPS = 20_000

function hash(compute: (message: Uint8Array) => Uint8Array): FunctionSignature {
  return { parameters: [text('str')], run: ([input]) => stringValue(encodeHex(compute(encodeUtf8(asText(input))))) }
}

function uuidv5(space: string, name: string): string {
  const namespace = Object.hasOwn(NAMESPACES, space) ? NAMESPACES[space] : space
  if (namespace === undefined || !UUID.test(namespace)) return refuse(`"${space}" is neither dns, url, oid, x500 nor a UUID`, 0)
  return nameUuid(namespace, name)
}

export const HASH_FUNCTIONS: FunctionTable = {
  md5: hash(md5),
  sha1: hash(sha1),
  sha256: hash(sha256),
  sha512: hash(sha512),
  uuidv5: { parameters: [text('namespace'), text('name')], run: ([space, name]) => stringValue(uuidv5(asText(space), asText(name))) },
  uuidv4: {
    parameters: [],
    run: (_, context) => {
      context.warn(
        'uuidv4() is derived from the path of the file, so that the same commit always gives the same job; use uuidv5() to choose what the id depends on',
      )
      return stringValue(nameUuid(RANDOM_NAMESPACE, context.nextSeed(), 4))
    },
  },
  bcrypt: {
    parameters: [text('str')],
    rest: number('cost'),
    run: () => refuse('a salted hash differs from call to call, but the same commit must always give the same job; commit the hash itself'),
  },
  rsadecrypt: {
    parameters: [text('ciphertext'), text('privatekey')],
    run: ([cipher, key], context) => {
      context.spend(RSA_STEPS)
      return stringValue(decryptRsa(asText(cipher), asText(key)))
    },
  },
}
