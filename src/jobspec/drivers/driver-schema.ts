import type { z } from 'zod'
import type { Refused } from '../support/support.js'

/** What a driver takes in `config`. */
export interface DriverSchema<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema
  /** Names of its members, for those who mistype one. */
  readonly members: readonly string[]
  /** What is missing although each member alone is sound, in the words of `requires config …`. */
  readonly missing?: (config: Readonly<Record<string, unknown>>) => readonly string[]
  /** Members that Nomad's driver acts upon and ours does not. */
  readonly refused?: Readonly<Record<string, Refused>>
}

/** A driver's members; those that are not required are made optional by whoever lists them. */
export function driverSchema<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape, z.core.$strict>,
  rest: Omit<DriverSchema, 'schema' | 'members'> = {},
): DriverSchema<z.ZodObject<Shape, z.core.$strict>> {
  return { schema, members: Object.keys(schema.shape), ...rest }
}
