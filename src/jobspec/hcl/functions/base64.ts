/** Bytes as text and back, without the platform's Buffer. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

export function encodeBase64(bytes: Uint8Array): string {
  let output = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    const chars = [18, 12, 6, 0].map((shift) => ALPHABET[(group >> shift) & 63] ?? '')
    const count = Math.min(3, bytes.length - at)
    output += chars.slice(0, count + 1).join('') + '='.repeat(3 - count)
  }
  return output
}

/** `undefined` for what is no base64 with its padding. Line breaks are skipped. */
export function decodeBase64(written: string): Uint8Array | undefined {
  const text = written.replace(/[\r\n]/g, '')
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  const digits = text.replace(/=+$/, '')
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4))
  let group = 0
  let bits = 0
  let at = 0
  for (const char of digits) {
    group = ((group << 6) | ALPHABET.indexOf(char)) & 0xffffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (group >> bits) & 0xff
  }
  return bytes
}

export function encodeUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** `undefined` for what is no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    // The only thing that a fatal decoder throws is what is asked here.
    return undefined
  }
}

export function encodeHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
