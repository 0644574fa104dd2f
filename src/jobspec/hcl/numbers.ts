/**
 * Numbers as HCL has them: floats of 512 bits. Kept as decimals, exact up to the 155 digits that 512 bits hold; what has
 * more digits (endless fractions) is rounded to 512 bits and printed as the shortest decimal that means that float.
 */
import { Decimal } from 'decimal.js'

const Wide = Decimal.clone({ precision: 160, rounding: Decimal.ROUND_HALF_EVEN, toExpNeg: -9e15, toExpPos: 9e15, maxE: 9e15, minE: -9e15 })
const MANTISSA_BITS = 512
/** Any decimal of so few digits is the shortest name of its float. */
const SAFE_DIGITS = 153
/** Beyond this a number would print as thousands of zeros. */
const EXPONENT_MAX = 5000

export type Numeric = Decimal

export function numeric(value: number | string): Numeric {
  return new Wide(value)
}

/** `undefined` for what is no number, or one whose exponent is beyond all use. */
export function parseNumeric(text: string): Numeric | undefined {
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?$/.test(text)) return undefined
  const value = new Wide(text)
  return isInRange(value) ? value : undefined
}

export function isInRange(value: Numeric): boolean {
  return value.isFinite() && (value.isZero() || Math.abs(value.e) <= EXPONENT_MAX)
}

/** All digits, never an exponent. */
export function formatNumeric(value: Numeric): string {
  return value.isZero() ? '0' : value.toFixed()
}

/** What an endless fraction is after it was kept in 512 bits. */
export function roundNumeric(value: Numeric): Numeric {
  if (!value.isFinite() || value.precision() <= SAFE_DIGITS) return value
  const scale = Math.max(0, value.decimalPlaces())
  const numerator = BigInt(value.abs().times(new Wide(10).pow(scale)).toFixed(0))
  const rounded = shortest(numerator, 10n ** BigInt(scale))
  return new Wide(`${value.isNegative() ? '-' : ''}${rounded}`)
}

/** The fraction rounded to 512 bits, as the decimal of fewest digits that no other such float is nearer to. */
function shortest(numerator: bigint, denominator: bigint): string {
  const shift = MANTISSA_BITS - (bitLength(numerator) - bitLength(denominator))
  const [scaledUp, scaledDown] = shift >= 0 ? [numerator << BigInt(shift), denominator] : [numerator, denominator << BigInt(-shift)]
  let mantissa = divideHalfEven(scaledUp, scaledDown)
  let exponent = -shift
  if (bitLength(mantissa) > MANTISSA_BITS) {
    mantissa = divideHalfEven(scaledUp, scaledDown * 2n)
    exponent++
  }
  // Twice the value and its distance to the neighbours' midpoints, over one denominator.
  const over = exponent < 0 ? 1n << BigInt(-exponent) : 1n
  const value = exponent < 0 ? mantissa : mantissa << BigInt(exponent)
  const half = exponent < 0 ? 1n : 1n << BigInt(exponent)
  const exact = new Wide(value.toString()).div(new Wide(over.toString()))
  for (let digits = SAFE_DIGITS; ; digits++) {
    const candidate = exact.toSignificantDigits(digits)
    const places = Math.max(0, candidate.decimalPlaces())
    const ten = 10n ** BigInt(places)
    const scaled = BigInt(candidate.times(new Wide(10).pow(places)).toFixed(0))
    const difference = scaled * over - value * ten
    if ((difference < 0n ? -difference : difference) * 2n < half * ten || digits > SAFE_DIGITS + 4) return candidate.toFixed()
  }
}

function bitLength(value: bigint): number {
  return value.toString(2).length
}

function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  const twice = (numerator % denominator) * 2n
  return twice > denominator || (twice === denominator && (quotient & 1n) === 1n) ? quotient + 1n : quotient
}
