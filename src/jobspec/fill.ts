/** Filling in what was not written, where jobs, groups, tasks and services do it alike. */
import { type ApiObject, type ApiValue, objectIn, objectsIn, textIn } from './decode/api-job.js'
import { WEIGHT_DEFAULT } from './defaults.js'
import { nameUuid } from './hcl/functions/uuid.js'

/** What parts need to know of the job that they are in. */
export interface JobContext {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly namespace: string
}

export interface GroupContext extends JobContext {
  readonly group: string
}

/** Given members win; those that are absent or null come from `base`. */
export function fill(object: ApiObject | undefined, base: ApiObject): ApiObject {
  const given = Object.entries(object ?? {}).filter(([, value]) => value !== undefined && value !== null)
  return { ...base, ...Object.fromEntries(given) }
}

export function textOr(value: ApiValue, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback
}

export function weighted(object: ApiObject, member: string): readonly ApiObject[] {
  return objectsIn(object, member).map((item) => fill(item, { Weight: WEIGHT_DEFAULT }))
}

export function fillConsul(consul: ApiObject | undefined): ApiObject | null {
  return consul === undefined ? null : { ...consul, Cluster: textOr(consul['Cluster'], 'default') }
}

export function canonicalizeIdentity(identity: ApiObject): ApiObject {
  return { ...identity, ChangeSignal: textIn(identity, 'ChangeSignal').toUpperCase() }
}

/** Namespace of the ids of scaling policies, which are drawn from what they scale. */
const SCALING_NAMESPACE = '5c4e0a1a-0f3f-5b0e-8f0a-7363616c696e'

/** Where no greatest count was said. */
const NO_MAX = -1

export function fillScaling(context: GroupContext, policy: ApiObject, count: number, task: string | undefined): ApiObject {
  const type = textOr(policy['Type'], 'horizontal')
  const target: ApiObject = {
    Namespace: context.namespace,
    Job: context.id,
    Group: context.group,
    ...(task === undefined ? {} : { Task: task }),
  }
  const name = [context.namespace, context.id, context.group, task ?? '', type].join('\u0000')
  return {
    ...fill(policy, { Enabled: true, Min: task === undefined ? count : 0, Max: NO_MAX }),
    // A task's policy has no id in Nomad either.
    ID: task === undefined ? nameUuid(SCALING_NAMESPACE, name) : '',
    Type: type,
    Target: target,
    CreateIndex: 0,
    ModifyIndex: 0,
  }
}

/** What a driver is told; nothing is none. */
export function configOf(owner: ApiObject): ApiObject | null {
  const config = objectIn(owner, 'Config')
  return config === undefined || Object.keys(config).length === 0 ? null : config
}
