/**
 * What each driver takes in `config`, one schema a driver: a wrong one is found before it is committed, and the host reads it by the
 * same. Drivers that are not listed are let through.
 */
import type { z } from 'zod'
import type { Job, Task } from '../../domain/index.js'
import { suggestName } from '../mistakes.js'
import type { Problem } from '../validate/problem.js'
import { DOCKER } from './docker.js'
import type { DriverSchema } from './driver-schema.js'
import { MOCK } from './mock.js'
import { EXEC, JAVA, QEMU, RAW_EXEC } from './processes.js'

const SCHEMAS = { raw_exec: RAW_EXEC, exec: EXEC, java: JAVA, qemu: QEMU, docker: DOCKER, mock_driver: MOCK }

export type KnownDriver = keyof typeof SCHEMAS
export type DriverConfigOf<Name extends KnownDriver> = z.output<(typeof SCHEMAS)[Name]['schema']>

export const DRIVER_SCHEMAS: Readonly<Record<string, DriverSchema>> = SCHEMAS

/** An earlier name of it. */
const ALIASES: Readonly<Record<string, string>> = { mock: 'mock_driver' }

export function driverSchemaOf(driver: string): DriverSchema | undefined {
  const name = Object.hasOwn(ALIASES, driver) ? ALIASES[driver]! : driver
  return Object.hasOwn(DRIVER_SCHEMAS, name) ? DRIVER_SCHEMAS[name] : undefined
}

export type DriverConfigReading<Config> =
  | { readonly kind: 'config'; readonly config: Config }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly string[] }

/** With every reference filled in, as a host has it. */
export function readDriverConfig<Name extends KnownDriver>(
  driver: Name,
  config: Readonly<Record<string, unknown>>,
): DriverConfigReading<DriverConfigOf<Name>> {
  const known: DriverSchema = SCHEMAS[driver]
  const result = known.schema.safeParse(config)
  const mistakes = [
    ...(known.missing?.(config) ?? []).map((name) => `The argument "${name}" is required`),
    ...(result.error?.issues ?? []).flatMap((issue) => describeAll(issue, config, known)),
  ]
  if (mistakes.length > 0) return { kind: 'mistakes', mistakes }
  return { kind: 'config', config: result.data as DriverConfigOf<Name> }
}

function describeAll(issue: z.core.$ZodIssue, config: Readonly<Record<string, unknown>>, known: DriverSchema): readonly string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((name) => `${pathText([...issue.path, name])} is not known${near(name, known)}`)
  if (valueAt(config, issue.path) === undefined) return [`The argument "${pathText(issue.path)}" is required`]
  return [`${pathText(issue.path)} ${issue.message}`]
}

/** Mistakes in the `config` of every task. Values that hold a reference are texts now and whatever the driver wants on the host. */
export function driverConfigProblems(job: Job): Problem[] {
  return job.TaskGroups.flatMap((group) =>
    group.Tasks.flatMap((task) => taskProblems(task).map((text) => ({ text, group: group.Name, task: task.Name }))),
  )
}

function taskProblems(task: Task): string[] {
  const known = driverSchemaOf(task.Driver)
  if (known === undefined) return []
  const config = task.Config ?? {}
  const where = `task "${task.Name}": driver ${task.Driver}`
  const missing = (known.missing?.(config) ?? []).map((name) => `${where} requires config "${name}"`)
  const issues = known.schema.safeParse(config).error?.issues ?? []
  return [...missing, ...issues.flatMap((issue) => issueProblems(issue, config, known, where))]
}

function issueProblems(
  issue: z.core.$ZodIssue,
  config: Readonly<Record<string, unknown>>,
  known: DriverSchema,
  where: string,
): readonly string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(
      (name) => `${where} has no config "${pathText([...issue.path, name])}"${issue.path.length === 0 ? near(name, known) : ''}`,
    )
  const value = valueAt(config, issue.path)
  if (value === undefined) return [`${where} requires config "${pathText(issue.path)}"`]
  if (holdsReference(value)) return []
  return [`${where}: config "${pathText(issue.path)}" ${issue.message}`]
}

function near(name: string, known: DriverSchema): string {
  const suggested = suggestName(name, known.members)
  return suggested === undefined ? '' : `; did you mean "${suggested}"?`
}

/** Anywhere in it: of a union the innermost place is not known. */
function holdsReference(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('${') || value.includes('%{')
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsReference)
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce(
    (at: unknown, step) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[step] : undefined),
    value,
  )
}

/** `mount[0].source` */
function pathText(path: readonly PropertyKey[]): string {
  return path.map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at === 0 ? '' : '.'}${String(step)}`)).join('')
}
