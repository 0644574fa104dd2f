/** Keys of hosts, thousands of them: made by Node's own cryptography, which takes a hundredth of what a library in JavaScript takes. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { nodeIdOfKey, verifySignature } from '../src/adapters/node-key.js'
import type { HostIdentity } from './sleeping-host.js'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** What an nkey of a user begins with. */
const USER = 20 << 3
const KEY_BYTES = 32

export function newIdentity(): HostIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const text = nkeyOf(publicKey.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES))
  return {
    publicKey: text,
    nodeId: nodeIdOfKey(text),
    signer: { publicKey: text, sign: (bytes) => sign(null, createHash('sha256').update(bytes).digest(), privateKey) },
    verify: verifySignature,
  }
}

function nkeyOf(raw: Uint8Array): string {
  const head = Buffer.from([USER, ...raw])
  const checksum = crc16(head)
  return base32(Buffer.from([...head, checksum & 0xff, checksum >> 8]))
}

/** CRC-16/XMODEM. */
function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff
  }
  return crc
}

function base32(bytes: Uint8Array): string {
  let text = ''
  let [value, bits] = [0, 0]
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    bits += 8
    for (; bits >= 5; bits -= 5) text += ALPHABET[(value >> (bits - 5)) & 31]
  }
  return bits === 0 ? text : text + ALPHABET[(value << (5 - bits)) & 31]
}
