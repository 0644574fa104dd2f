/**
 * Keys of hosts: nkeys (Ed25519), as NATS has them, so that one key proves a host to the broker and to the server. The seed never
 * leaves its file.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nkeys } from 'nats'
import type { Signer } from '../agent/index.js'
import { TerminalError } from '../domain/index.js'

interface KeyPair {
  getPublicKey(): string
  getSeed(): Uint8Array
  sign(input: Uint8Array): Uint8Array
  verify(input: Uint8Array, signature: Uint8Array): boolean
}

/** The library declares it without a type. */
const keys = nkeys as { createUser(): KeyPair; fromSeed(seed: Uint8Array): KeyPair; fromPublic(key: string): KeyPair }

export const KEY_FILE = 'node.nk'

export interface NodeKey extends Signer {
  readonly nodeId: string
  readonly seedFile: string
}

/** The key of the host whose data is in `folder`; made on the first call. @throws TerminalError NODE_KEY when its file is damaged */
export function loadOrCreateKey(folder: string): NodeKey {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const seedFile = join(folder, KEY_FILE)
  const pair = readPair(seedFile)
  const publicKey = pair.getPublicKey()
  const sign = (text: string) => Buffer.from(pair.sign(Buffer.from(text))).toString('base64')
  return { publicKey, sign, nodeId: nodeIdOfKey(publicKey), seedFile }
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
    throw new TerminalError(
      'NODE_KEY',
      `${seedFile} holds no nkey seed; restore it, or remove it to make a new host of this one`,
      {},
      cause,
    )
  }
}

export function verifySignature(publicKey: string, text: string, signature: string): boolean {
  try {
    return keys.fromPublic(publicKey).verify(Buffer.from(text), Buffer.from(signature, 'base64'))
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
