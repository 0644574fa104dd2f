/** Name-based UUIDs (RFC 4122 §4.3): the same name gives the same id, always. */
import { encodeHex, encodeUtf8 } from './base64.js'
import { sha1 } from './hashes.js'

export const UUID = /^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/

/** `version` is what the id says it is; the bits are those of version 5. */
export function nameUuid(namespace: string, name: string, version: 4 | 5 = 5): string {
  const space = Uint8Array.from(namespace.replaceAll('-', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  const text = encodeUtf8(name)
  const message = new Uint8Array(space.length + text.length)
  message.set(space)
  message.set(text, space.length)
  const bytes = sha1(message).slice(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | (version << 4)
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = encodeHex(bytes)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
