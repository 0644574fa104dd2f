/**
 * What becomes of a member of a jobspec: it is carried out, perhaps by something else than its author has in mind, or a job that says
 * it is refused with a sentence that says what to write instead, or it is told that it has no effect.
 */
import type { ApiObject } from '../decode/api-job.js'
import type { JOB_STRUCTS } from '../decode/job-structs.js'
import type { SERVICE_STRUCTS } from '../decode/service-structs.js'
import type { TASK_STRUCTS } from '../decode/task-structs.js'

export type Support = CarriedOut | Differs | Refused | WithoutEffect

export interface CarriedOut {
  readonly kind: 'carried-out'
  readonly by: string
}

/** Carried out, and not by what the author names: told once for the whole job. */
export interface Differs {
  readonly kind: 'differs'
  readonly by: string
  readonly because: string
  readonly where?: Where
}

export interface Refused {
  readonly kind: 'refused'
  readonly because: string
  readonly instead: string
  readonly where?: Where
}

/** Harmless where it says nothing that could be waited for: the author is told. */
export interface WithoutEffect {
  readonly kind: 'without-effect'
  readonly because: string
  readonly where?: Where
}

/** All that are given must hold. */
export interface Where {
  readonly drivers?: readonly string[]
  readonly jobTypes?: readonly string[]
  /** Of the member's value, in the API's form; in words, for people. */
  readonly value?: { readonly words: string; readonly holds: (value: unknown) => boolean }
  /** Of the task that the member belongs to; of none, it has no members. */
  readonly task?: { readonly words: string; readonly holds: (task: ApiObject) => boolean }
  /** Of the group that the member belongs to, in the same way. */
  readonly group?: { readonly words: string; readonly holds: (group: ApiObject) => boolean }
  /** The member asks for something also when it is zero or false. */
  readonly countsZero?: true
  /** The member asks for something also when it is empty or left out. */
  readonly countsAbsent?: true
}

/** The first that applies counts; a row ends with what holds where none of the others does. */
export type Row = Support | readonly [Differs | Refused | WithoutEffect, ...Support[]]

/** The decoder's schema, as types. */
type Structs = typeof JOB_STRUCTS & typeof TASK_STRUCTS & typeof SERVICE_STRUCTS

type MemberOf<Written> = Written extends `${string} ${infer Member}` ? Member : never

/** One row for each member of a struct, by its name in the API. */
export type SupportOf<Name extends keyof Structs> = { readonly [Member in MemberOf<Structs[Name][keyof Structs[Name]]>]: Row }

export function by(who: string): CarriedOut {
  return { kind: 'carried-out', by: who }
}

export function differs(who: string, because: string, where?: Where): Differs {
  return { kind: 'differs', by: who, because, ...(where === undefined ? {} : { where }) }
}

export function refused(because: string, instead: string, where?: Where): Refused {
  return { kind: 'refused', because, instead, ...(where === undefined ? {} : { where }) }
}

export function withoutEffect(because: string, where?: Where): WithoutEffect {
  return { kind: 'without-effect', because, ...(where === undefined ? {} : { where }) }
}

/** Unless the value is one of these, which is what everybody has. */
export function otherThan(...values: readonly unknown[]): Where {
  const words = `is not ${values.map((value) => JSON.stringify(value)).join(' or ')}`
  return { value: { words, holds: (value) => !values.includes(value) } }
}

export function supportsOf(row: Row): readonly Support[] {
  return Array.isArray(row) ? row : [row as Support]
}
