/**
 * Go's strings are bytes: templates measure, cut and hash them as such, and what they render may be no text at all (a decoded key store).
 * A `Bytes` is a string of which each unit is one byte.
 */
export type Bytes = string

const ASCII = /^[\x00-\x7f]*$/
const ENCODER = new TextEncoder()
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true })
const CHUNK = 8192

export function fromText(text: string): Bytes {
  return ASCII.test(text) ? text : fromArray(ENCODER.encode(text))
}

/** What is no UTF-8 becomes U+FFFD. */
export function toText(bytes: Bytes): string {
  return ASCII.test(bytes) ? bytes : DECODER.decode(toArray(bytes))
}

export function fromArray(array: Uint8Array): Bytes {
  let bytes = ''
  for (let at = 0; at < array.length; at += CHUNK) bytes += String.fromCharCode(...array.subarray(at, at + CHUNK))
  return bytes
}

export function toArray(bytes: Bytes): Uint8Array {
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))
}

export function isValidUtf8(bytes: Bytes): boolean {
  return ASCII.test(bytes) || fromText(toText(bytes)) === bytes
}

/** The character at `at` and the bytes that it takes; an invalid byte is U+FFFD and takes one. */
export function runeAt(bytes: Bytes, at: number): { readonly rune: string; readonly size: number } {
  const first = bytes.charCodeAt(at)
  if (first < 0x80) return { rune: bytes[at]!, size: 1 }
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  const rune = toText(bytes.slice(at, at + size))
  return [...rune].length === 1 && fromText(rune).length === size ? { rune, size } : { rune: '\ufffd', size: 1 }
}

export function runesOf(bytes: Bytes): readonly string[] {
  return [...toText(bytes)]
}

/** Applies a function on text to bytes. */
export function mapText(bytes: Bytes, change: (text: string) => string): Bytes {
  return fromText(change(toText(bytes)))
}
