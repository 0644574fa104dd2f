/**
 * Kinds of values in the `config` of a task, as they come out of HCL, JSON and the API alike: numbers and booleans stand where texts are
 * wanted and the other way round, a block is an object or a list of one, repeated blocks and maps are objects or lists of them.
 */
import * as z from 'zod'
import { readDuration } from '../../domain/index.js'

const NANOSECONDS_PER_MS = 1e6

export const text = z.union([z.string(), z.number(), z.boolean()], 'must be a text').transform(String)

export const number = z
  .union([z.number(), z.string().regex(/^\s*-?\d+(\.\d+)?\s*$/, 'must be a number')], 'must be a number')
  .transform(Number)

export const flag = z
  .union([z.boolean(), z.literal('true'), z.literal('false')], 'must be true or false')
  .transform((value) => value === true || value === 'true')

/** `1m30s`, or nanoseconds; to milliseconds. */
export const duration = z.union([z.string(), z.number()], 'must be a duration').transform((value, context) => {
  if (typeof value === 'number') return value / NANOSECONDS_PER_MS
  if (value === '') return 0
  const reading = readDuration(value)
  if (reading.kind === 'duration') return reading.nanoseconds / NANOSECONDS_PER_MS
  context.addIssue({ code: 'custom', message: 'must be a duration' })
  return z.NEVER
})

export const texts = z.array(text, 'must be a list of texts')

/** A text, or several. */
export const textOrTexts = z.union([texts, text.transform((value) => [value])], 'must be a text or a list of texts')

/** A map, or blocks whose members are taken together. */
export function mapOf<Value extends z.ZodType>(value: Value) {
  const one = z.record(z.string(), value)
  return z
    .union([one, z.array(one)], 'must be a block or a map')
    .transform((given): Readonly<Record<string, z.output<Value>>> => (Array.isArray(given) ? Object.assign({}, ...given) : given))
}

/** At most one block. */
export function block<Shape extends z.ZodRawShape>(shape: Shape) {
  const one = z.strictObject(shape)
  return z
    .union([one, z.array(one).max(1)], 'must be a block')
    .transform((given): z.output<typeof one> | undefined => (Array.isArray(given) ? given[0] : given))
}

/** Any number of blocks. */
export function blocks<Shape extends z.ZodRawShape>(shape: Shape) {
  const one = z.strictObject(shape)
  return z.preprocess((given) => (isMap(given) ? [given] : given), z.array(one, 'must be a block or several'))
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Every member may be left out or null, which is the same. */
export function optional<Value extends z.ZodType>(value: Value) {
  return value.nullish().transform((given) => given ?? undefined)
}
