/**
 * Keys of hosts and servers: nkeys (Ed25519), as NATS has them, so that one key proves its owner to the broker and to the other side. The seed
 * never leaves its file.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { nkeys } from 'nats'
import type { Signer } from '../agent/index.js'
import { TerminalError } from '../domain/index.js'

interface KeyPair {
  getPublicKey(): string
  getSeed(): Uint8Array
}

/** The library declares it without a type. */
const keys = nkeys as { createUser(): KeyPair; fromSeed(seed: Uint8Array): KeyPair; fromPublic(key: string): KeyPair }

export const KEY_FILE = 'node.nk'

const SERVER_KEY_FILE = 'server.nk'
const NEXT_SERVER_KEY_FILE = 'server-next.nk'

export interface StoredKey extends Signer {
  readonly seedFile: string
}

export interface NodeKey extends StoredKey {
  readonly nodeId: string
}

/** The key of the host whose data is in `folder`; made on the first call. @throws TerminalError NODE_KEY when its file is damaged */
export function loadOrCreateKey(folder: string): NodeKey {
  const key = loadOrCreate(join(folder, KEY_FILE))
  return { ...key, nodeId: nodeIdOfKey(key.publicKey) }
}

/** The key by which hosts know their server; the second one is that of tomorrow, where its file is there. */
export function loadServerKeys(folder: string): { readonly current: StoredKey; readonly next: readonly StoredKey[] } {
  const nextFile = join(folder, NEXT_SERVER_KEY_FILE)
  return { current: loadOrCreate(join(folder, SERVER_KEY_FILE)), next: existsSync(nextFile) ? [loadOrCreate(nextFile)] : [] }
}

/** Without effect where there is one already. */
export function createNextServerKey(folder: string): void {
  loadOrCreate(join(folder, NEXT_SERVER_KEY_FILE))
}

/** @throws TerminalError NODE_KEY when the file is there and holds no seed */
export function loadOrCreate(seedFile: string): StoredKey {
  mkdirSync(dirname(seedFile), { recursive: true, mode: 0o700 })
  const pair = readPair(seedFile)
  return { ...signerOf(pair), seedFile }
}

/** Ed25519 over the SHA-256 of the bytes: signing reads what it signs twice, and the digest is faster over what is large. */
function signerOf(pair: KeyPair): Signer {
  const seed = rawKey(Buffer.from(pair.getSeed()).toString('latin1'), 2)
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' })
  return { publicKey: pair.getPublicKey(), sign: (bytes) => sign(null, digestOf(bytes), key) }
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

/** What stands before the 32 bytes of a key of Ed25519 in the encodings that Node reads (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')
const KEY_BYTES = 32
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The key inside the text of an nkey, between what says its kind and its checksum. */
function rawKey(text: string, kindBytes: number): Buffer {
  const bytes: number[] = []
  let bits = 0
  let value = 0
  for (const letter of text) {
    value = ((value << 5) | ALPHABET.indexOf(letter)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((value >> bits) & 0xff)
  }
  return Buffer.from(bytes.slice(kindBytes, kindBytes + KEY_BYTES))
}

/** By text; a cluster has so many hosts and no more, so this does not grow. */
const publicKeys = new Map<string, KeyObject>()
const PUBLIC_KEYS_MAX = 20_000

/** @throws when the text is no public key */
function publicKeyOf(text: string): KeyObject {
  const known = publicKeys.get(text)
  if (known !== undefined) return known
  // Checks kind and checksum.
  keys.fromPublic(text)
  const key = createPublicKey({ key: Buffer.concat([SPKI_HEAD, rawKey(text, 1)]), format: 'der', type: 'spki' })
  if (publicKeys.size >= PUBLIC_KEYS_MAX) publicKeys.clear()
  publicKeys.set(text, key)
  return key
}

function readPair(seedFile: string): KeyPair {
  try {
    // Exclusive: two processes that start at once must end up with one key.
    const created = keys.createUser()
    writeFileSync(seedFile, created.getSeed(), { mode: 0o600, flag: 'wx' })
    return created
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  try {
    return keys.fromSeed(new Uint8Array(readFileSync(seedFile)))
  } catch (cause) {
    throw new TerminalError('NODE_KEY', `${seedFile} holds no nkey seed; restore it, or remove it to begin with a new key`, {}, cause)
  }
}

export function verifySignature(publicKey: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(null, digestOf(bytes), publicKeyOf(publicKey), signature)
  } catch {
    // Not a key, or not a signature: nothing is proven.
    return false
  }
}

/** Namespace of the UUIDs below: fixed once for all. */
const NODE_NAMESPACE = Buffer.from('4f7c1a52c1a94d0f9f3b6a1f0e2d7c85', 'hex')

/** UUIDv5 of the public key: the same host has the same id in every life. */
export function nodeIdOfKey(publicKey: string): string {
  const hash = createHash('sha1').update(NODE_NAMESPACE).update(publicKey).digest().subarray(0, 16)
  hash[6] = (hash[6]! & 0x0f) | 0x50
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = hash.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
