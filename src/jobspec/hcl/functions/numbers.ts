/** Functions on numbers. `pow` and `log` work in doubles, as in Nomad. */

import { convert, toWhole } from '../convert.js'
import { isInRange, type Numeric, numeric } from '../numbers.js'
import { numberValue, type Value } from '../values.js'
import { anything, asText, type FunctionSignature, type FunctionTable, number, refuse } from './signature.js'

function asNumber(value: Value | undefined): Numeric {
  return value?.kind === 'number' ? value.value : numeric(0)
}

function onNumber(change: (input: Numeric) => Numeric): FunctionSignature {
  return { parameters: [number('num')], run: ([input]) => numberValue(change(asNumber(input))) }
}

function choose(isBetter: (candidate: Numeric, best: Numeric) => boolean): FunctionSignature {
  return {
    parameters: [],
    rest: number('numbers'),
    run: (args) => {
      const [first, ...others] = args.map(asNumber)
      if (first === undefined) return refuse('must pass at least one number')
      return numberValue(others.reduce((best, candidate) => (isBetter(candidate, best) ? candidate : best), first))
    },
  }
}

function fromDouble(value: number): Value {
  const result = Number.isFinite(value) ? numeric(value) : undefined
  return result !== undefined && isInRange(result) ? numberValue(result) : refuse('the result is not a number in the supported range')
}

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'
const DIGITS_BOTH_CASES = `${DIGITS}ABCDEFGHIJKLMNOPQRSTUVWXYZ`

function parseint(args: readonly Value[]): Value {
  const input = convert(args[0]!, 'string')
  const written = 'value' in input ? asText(input.value) : refuse('first argument must be a string', 0)
  const base = toWhole(args[1]!)
  if (base === undefined || base < 2 || base > 62) return refuse('base must be a whole number between 2 and 62 inclusive', 1)
  const negative = written.startsWith('-')
  const digits = written.replace(/^[+-]/, '')
  const alphabet = base <= 36 ? DIGITS : DIGITS_BOTH_CASES
  if (digits === '' || digits.length > 1000) return refuse(`cannot parse "${written}" as a base ${base} integer`, 0)
  let value = 0n
  for (const char of base <= 36 ? digits.toLowerCase() : digits) {
    const digit = alphabet.indexOf(char)
    if (digit < 0 || digit >= base) return refuse(`cannot parse "${written}" as a base ${base} integer`, 0)
    value = value * BigInt(base) + BigInt(digit)
  }
  return numberValue(numeric((negative ? -value : value).toString()))
}

export const NUMBER_FUNCTIONS: FunctionTable = {
  abs: onNumber((input) => input.abs()),
  ceil: onNumber((input) => input.ceil()),
  floor: onNumber((input) => input.floor()),
  signum: onNumber((input) => numeric(input.isZero() ? 0 : input.isNegative() ? -1 : 1)),
  max: choose((candidate, best) => candidate.gt(best)),
  min: choose((candidate, best) => candidate.lt(best)),
  log: {
    parameters: [number('num'), number('base')],
    run: ([input, base]) => fromDouble(Math.log(asNumber(input).toNumber()) / Math.log(asNumber(base).toNumber())),
  },
  pow: {
    parameters: [number('num'), number('power')],
    run: ([input, power]) => fromDouble(asNumber(input).toNumber() ** asNumber(power).toNumber()),
  },
  parseint: { parameters: [anything('number'), number('base')], run: parseint },
}
