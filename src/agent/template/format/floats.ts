/** Floats to text as Go's strconv writes them. */

/** Digits of a finite value's magnitude: 0.d₁d₂… × 10^point. */
interface Digits {
  readonly digits: string
  readonly point: number
}

/** The fewest digits that still mean this value. */
function shortest(magnitude: number): Digits {
  const [mantissa = '0', exponent = '0'] = magnitude.toExponential().split('e')
  const digits = mantissa.replace('.', '')
  return magnitude === 0 ? { digits: '', point: 0 } : { digits, point: Number(exponent) + 1 }
}

/** The value is mantissa × 2^exponent. */
function decompose(magnitude: number): { readonly mantissa: bigint; readonly exponent: number } {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, magnitude)
  const raw = bits.getBigUint64(0)
  const biased = Number((raw >> 52n) & 0x7ffn)
  const fraction = raw & 0xfffffffffffffn
  return { mantissa: biased === 0 ? fraction : fraction | (1n << 52n), exponent: (biased === 0 ? 1 : biased) - 1075 }
}

function binary(magnitude: number): string {
  const { mantissa, exponent } = decompose(magnitude)
  return `${mantissa}p${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`
}

/** Every digit of the binary value. */
function exact(magnitude: number): Digits {
  if (magnitude === 0) return { digits: '', point: 0 }
  const { mantissa, exponent } = decompose(magnitude)
  const whole = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent)
  const digits = whole.toString()
  return { digits: digits.replace(/0+$/, ''), point: digits.length + Math.min(0, exponent) }
}

/** Keeps `count` digits, half to even. */
function rounded({ digits, point }: Digits, count: number): Digits {
  if (count >= digits.length) return { digits, point }
  if (count < 0) return { digits: '', point: 0 }
  const kept = digits.slice(0, count)
  const rest = digits.slice(count)
  const isTie = /^50*$/.test(rest)
  const isUp = isTie ? Number(kept.at(-1) ?? '0') % 2 === 1 : rest >= '5'
  if (!isUp) return { digits: kept.replace(/0+$/, ''), point: /[1-9]/.test(kept) ? point : 0 }
  const raised = (BigInt(kept === '' ? '0' : kept) + 1n).toString().padStart(count, '0')
  return { digits: raised.replace(/0+$/, ''), point: point + (raised.length - Math.max(count, kept.length)) }
}

function exponential({ digits, point }: Digits, precision: number, letter: string): string {
  const first = digits[0] ?? '0'
  const fraction = digits.slice(1).padEnd(precision, '0').slice(0, precision)
  const exponent = digits === '' ? 0 : point - 1
  const sign = exponent < 0 ? '-' : '+'
  return `${first}${precision > 0 ? `.${fraction}` : ''}${letter}${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
}

function positional({ digits, point }: Digits, precision: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  if (precision <= 0) return whole
  const fraction = point > 0 ? digits.slice(point) : '0'.repeat(Math.min(-point, precision)) + digits
  return `${whole}.${fraction.padEnd(precision, '0').slice(0, precision)}`
}

/** All binary digits of the mantissa; a precision is not looked at. */
function hexadecimal(magnitude: number, letter: string): string {
  const exponent = magnitude === 0 ? 0 : Math.floor(Math.log2(magnitude))
  const fraction = magnitude === 0 ? '' : (magnitude / 2 ** exponent - 1).toString(16).slice(2)
  const power = `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  const text = `0x${magnitude === 0 ? 0 : 1}${fraction === '' ? '' : `.${fraction}`}p${power}`
  return letter === 'X' ? text.toUpperCase() : text
}

/**
 * `letter` is b, e, E, f, F, g, G, x or X; `precision` undefined asks for as many digits as are needed. The sign stands in front only when it is
 * a minus.
 */
export function formatFloat(value: number, letter: string, precision: number | undefined): string {
  if (Number.isNaN(value)) return 'NaN'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (!Number.isFinite(value)) return `${sign === '' ? '+' : '-'}Inf`
  return sign + formatMagnitude(Math.abs(value), letter, precision)
}

function formatMagnitude(magnitude: number, letter: string, precision: number | undefined): string {
  if (letter === 'x' || letter === 'X') return hexadecimal(magnitude, letter)
  if (letter === 'b') return binary(magnitude)
  const isShort = precision === undefined
  const all = isShort ? shortest(magnitude) : exact(magnitude)
  if (letter === 'e' || letter === 'E') {
    const digits = isShort ? all : rounded(all, precision + 1)
    return exponential(digits, precision ?? Math.max(0, digits.digits.length - 1), letter)
  }
  if (letter === 'f' || letter === 'F') {
    const digits = isShort ? all : rounded(all, all.point + precision)
    return positional(digits, precision ?? Math.max(0, digits.digits.length - digits.point))
  }
  return general(all, letter, precision)
}

function general(all: Digits, letter: string, precision: number | undefined): string {
  const wanted = precision === 0 ? 1 : precision
  const digits = wanted === undefined ? all : rounded(all, wanted)
  const count = digits.digits.length
  let limit = wanted ?? 6
  if (wanted !== undefined && wanted > count && count >= digits.point) limit = count
  const exponent = count === 0 ? 0 : digits.point - 1
  if (exponent < -4 || exponent >= limit) return exponential(digits, Math.max(0, count - 1), letter === 'G' ? 'E' : 'e')
  return positional(digits, Math.max(0, count - digits.point))
}
