import { fromText, toText } from '../bytes.js'
import { refuse } from '../failure.js'
import { formatInstant, type Instant } from '../go-time.js'
import { stringValue, type Value } from '../values.js'
import { bytesOf, type CallContext, type FunctionTable, variadic } from './signature.js'

export function nowIn({ nowMs }: CallContext): Instant {
  return { ms: nowMs, nanos: 0, offsetSeconds: 0, zone: 'UTC' }
}

function timestamp(args: readonly Value[], context: CallContext): Value {
  if (args.length > 1) return refuse(`timestamp: wrong number of arguments, expected 0 or 1, but got ${args.length}`)
  const [layout] = args.map(bytesOf)
  if (layout === 'unix') return stringValue(String(Math.floor(context.nowMs / 1000)))
  return stringValue(fromText(formatInstant(nowIn(context), layout === undefined ? '2006-01-02T15:04:05Z07:00' : toText(layout))))
}

export const TIME_FUNCTIONS: FunctionTable = { timestamp: variadic(['string'], timestamp) }
