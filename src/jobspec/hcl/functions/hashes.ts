/** MD5, SHA-1, SHA-256 and SHA-512 in plain arithmetic: this layer knows no platform. */

/** The message, a one bit, zeros, and its length in bits: whole blocks of `blockBytes`. */
function padded(message: Uint8Array, blockBytes: 64 | 128, isLittleEndian: boolean): DataView {
  const lengthBytes = blockBytes / 8
  const size = Math.ceil((message.length + 1 + lengthBytes) / blockBytes) * blockBytes
  const bytes = new Uint8Array(size)
  bytes.set(message)
  bytes[message.length] = 0x80
  const view = new DataView(bytes.buffer)
  const at = isLittleEndian ? size - 8 : size - 8
  view.setBigUint64(at, BigInt(message.length) * 8n, isLittleEndian)
  return view
}

const rotateLeft = (value: number, by: number): number => (value << by) | (value >>> (32 - by))
const rotateRight = (value: number, by: number): number => (value >>> by) | (value << (32 - by))

function words(values: readonly number[], isLittleEndian: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4))
  values.forEach((value, at) => {
    view.setUint32(at * 4, value >>> 0, isLittleEndian)
  })
  return new Uint8Array(view.buffer)
}

const MD5_SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
const MD5_SINES = Array.from({ length: 64 }, (_, at) => Math.floor(Math.abs(Math.sin(at + 1)) * 2 ** 32) | 0)

export function md5(message: Uint8Array): Uint8Array {
  const view = padded(message, 64, true)
  let [a0, b0, c0, d0] = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476]
  for (let block = 0; block < view.byteLength; block += 64) {
    let [a, b, c, d] = [a0, b0, c0, d0]
    for (let at = 0; at < 64; at++) {
      const round = at >> 4
      const mixed = round === 0 ? (b & c) | (~b & d) : round === 1 ? (d & b) | (~d & c) : round === 2 ? b ^ c ^ d : c ^ (b | ~d)
      const word = (round === 0 ? at : round === 1 ? 5 * at + 1 : round === 2 ? 3 * at + 5 : 7 * at) % 16
      const sum = (a + mixed + MD5_SINES[at]! + view.getInt32(block + word * 4, true)) | 0
      ;[a, d, c, b] = [d, c, b, (b + rotateLeft(sum, MD5_SHIFTS[round * 4 + (at % 4)]!)) | 0]
    }
    ;[a0, b0, c0, d0] = [(a0 + a) | 0, (b0 + b) | 0, (c0 + c) | 0, (d0 + d) | 0]
  }
  return words([a0, b0, c0, d0], true)
}

const SHA1_ROUND = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc | 0, 0xca62c1d6 | 0]

export function sha1(message: Uint8Array): Uint8Array {
  const view = padded(message, 64, false)
  let [h0, h1, h2, h3, h4] = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476, 0xc3d2e1f0 | 0]
  const schedule = new Int32Array(80)
  for (let block = 0; block < view.byteLength; block += 64) {
    for (let at = 0; at < 16; at++) schedule[at] = view.getInt32(block + at * 4)
    for (let at = 16; at < 80; at++)
      schedule[at] = rotateLeft(schedule[at - 3]! ^ schedule[at - 8]! ^ schedule[at - 14]! ^ schedule[at - 16]!, 1)
    let [a, b, c, d, e] = [h0, h1, h2, h3, h4]
    for (let at = 0; at < 80; at++) {
      const round = Math.floor(at / 20)
      const mixed = round === 0 ? (b & c) | (~b & d) : round === 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d
      const next = (rotateLeft(a, 5) + mixed + e + SHA1_ROUND[round]! + schedule[at]!) | 0
      ;[e, d, c, b, a] = [d, c, rotateLeft(b, 30), a, next]
    }
    ;[h0, h1, h2, h3, h4] = [(h0 + a) | 0, (h1 + b) | 0, (h2 + c) | 0, (h3 + d) | 0, (h4 + e) | 0]
  }
  return words([h0, h1, h2, h3, h4], false)
}

/** The first 64 bits of the fractional part of a root of each of the first primes. */
function rootFractions(count: number, isCube: boolean): bigint[] {
  const fractions: bigint[] = []
  for (let candidate = 2; fractions.length < count; candidate++) {
    if (isPrime(candidate)) fractions.push(integerRoot(BigInt(candidate) << (isCube ? 192n : 128n), isCube ? 3n : 2n) & 0xffffffffffffffffn)
  }
  return fractions
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) return false
  return true
}

function integerRoot(value: bigint, degree: bigint): bigint {
  let guess = 1n << BigInt(Math.ceil(value.toString(2).length / Number(degree)))
  for (;;) {
    const next = ((degree - 1n) * guess + value / guess ** (degree - 1n)) / degree
    if (next >= guess) return guess
    guess = next
  }
}

const CUBE_FRACTIONS = rootFractions(80, true)
const SQUARE_FRACTIONS = rootFractions(8, false)
const SHA256_ROUND = Int32Array.from(CUBE_FRACTIONS.slice(0, 64), (fraction) => Number(fraction >> 32n) | 0)
const SHA256_START = SQUARE_FRACTIONS.map((fraction) => Number(fraction >> 32n) | 0)

export function sha256(message: Uint8Array): Uint8Array {
  const view = padded(message, 64, false)
  const hash = [...SHA256_START]
  const schedule = new Int32Array(64)
  for (let block = 0; block < view.byteLength; block += 64) {
    for (let at = 0; at < 16; at++) schedule[at] = view.getInt32(block + at * 4)
    for (let at = 16; at < 64; at++) {
      const early = schedule[at - 15]!
      const late = schedule[at - 2]!
      const s0 = rotateRight(early, 7) ^ rotateRight(early, 18) ^ (early >>> 3)
      const s1 = rotateRight(late, 17) ^ rotateRight(late, 19) ^ (late >>> 10)
      schedule[at] = (schedule[at - 16]! + s0 + schedule[at - 7]! + s1) | 0
    }
    let [a, b, c, d, e, f, g, h] = hash as [number, number, number, number, number, number, number, number]
    for (let at = 0; at < 64; at++) {
      const s1 = rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25)
      const first = (h + s1 + ((e & f) ^ (~e & g)) + SHA256_ROUND[at]! + schedule[at]!) | 0
      const s0 = rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22)
      const second = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
      ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0]
    }
    ;[a, b, c, d, e, f, g, h].forEach((value, at) => {
      hash[at] = (hash[at]! + value) | 0
    })
  }
  return words(hash, false)
}

const wide = (value: bigint): bigint => BigInt.asUintN(64, value)
const rotateWide = (value: bigint, by: bigint): bigint => wide((value >> by) | (value << (64n - by)))

export function sha512(message: Uint8Array): Uint8Array {
  const view = padded(message, 128, false)
  const hash = [...SQUARE_FRACTIONS]
  for (let block = 0; block < view.byteLength; block += 128) {
    const schedule = Array.from({ length: 16 }, (_, at) => view.getBigUint64(block + at * 8))
    for (let at = 16; at < 80; at++) {
      const early = schedule[at - 15]!
      const late = schedule[at - 2]!
      const s0 = rotateWide(early, 1n) ^ rotateWide(early, 8n) ^ (early >> 7n)
      const s1 = rotateWide(late, 19n) ^ rotateWide(late, 61n) ^ (late >> 6n)
      schedule.push(wide(schedule[at - 16]! + s0 + schedule[at - 7]! + s1))
    }
    let [a, b, c, d, e, f, g, h] = hash as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint]
    for (let at = 0; at < 80; at++) {
      const s1 = rotateWide(e, 14n) ^ rotateWide(e, 18n) ^ rotateWide(e, 41n)
      const first = wide(h + s1 + ((e & f) ^ (~e & g)) + CUBE_FRACTIONS[at]! + schedule[at]!)
      const s0 = rotateWide(a, 28n) ^ rotateWide(a, 34n) ^ rotateWide(a, 39n)
      const second = wide(s0 + ((a & b) ^ (a & c) ^ (b & c)))
      ;[h, g, f, e, d, c, b, a] = [g, f, e, wide(d + first), c, b, a, wide(first + second)]
    }
    ;[a, b, c, d, e, f, g, h].forEach((value, at) => {
      hash[at] = wide(hash[at]! + value)
    })
  }
  const output = new DataView(new ArrayBuffer(64))
  hash.forEach((value, at) => {
    output.setBigUint64(at * 8, value)
  })
  return new Uint8Array(output.buffer)
}
