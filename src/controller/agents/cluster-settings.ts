/**
 * Settings as files: `agents/_cluster.hcl` for the scheduler of the whole cluster, `agents/<pool>/_pool.hcl` for one pool. The names are
 * those of Nomad's agent configuration and pool specification.
 */
import { type NodePool, SCHEDULER_CONFIGURATION_DEFAULT, type SchedulerAlgorithm, type SchedulerConfiguration } from '../../domain/index.js'
import type { HclBody } from '../../jobspec/index.js'
import type { Body, DeclarationFields } from './declaration-fields.js'

const ALGORITHMS: readonly SchedulerAlgorithm[] = ['balanced', 'binpack', 'spread']
const SCHEDULER_ARGUMENTS = ['scheduler_algorithm', 'memory_oversubscription_enabled']

/** Who may end less important work to make room, by argument of the `preemption_config` block. */
const PREEMPTERS = {
  service_scheduler_enabled: 'ServiceSchedulerEnabled',
  batch_scheduler_enabled: 'BatchSchedulerEnabled',
  system_scheduler_enabled: 'SystemSchedulerEnabled',
  sysbatch_scheduler_enabled: 'SysBatchSchedulerEnabled',
} as const

/** What is not said is as when there is no file. */
export function decodeClusterSettings(fields: DeclarationFields, content: HclBody): SchedulerConfiguration {
  const body = fields.body(content, ['stop_after_undeclared'], ['scheduler_config'])
  const stopAfterUndeclaredMs = fields.durationMs(body.attributes, 'stop_after_undeclared', 1_000)
  const absent = {
    ...SCHEDULER_CONFIGURATION_DEFAULT,
    ...(stopAfterUndeclaredMs === undefined ? {} : { stopAfterUndeclaredMs }),
  }
  const scheduler = fields.block(body, 'scheduler_config', SCHEDULER_ARGUMENTS, ['preemption_config'])
  if (scheduler === undefined) return absent
  const preemption = fields.block(scheduler, 'preemption_config', Object.keys(PREEMPTERS))?.attributes ?? new Map()
  const may = Object.entries(PREEMPTERS).map(([name, member]) => [member, fields.bool(preemption, name) ?? absent.PreemptionConfig[member]])
  const { algorithm, hasOversubscription } = decodeScheduler(fields, scheduler)
  return {
    ...absent,
    SchedulerAlgorithm: algorithm ?? absent.SchedulerAlgorithm,
    PreemptionConfig: Object.fromEntries(may) as SchedulerConfiguration['PreemptionConfig'],
    MemoryOversubscriptionEnabled: hasOversubscription ?? absent.MemoryOversubscriptionEnabled,
  }
}

/** What is not said is as in the cluster. */
export function decodePool(fields: DeclarationFields, content: HclBody, name: string): NodePool {
  const body = fields.body(content, ['description'], ['meta', 'scheduler_config'])
  const scheduler = fields.block(body, 'scheduler_config', SCHEDULER_ARGUMENTS)
  const { algorithm, hasOversubscription } = scheduler === undefined ? {} : decodeScheduler(fields, scheduler)
  const SchedulerConfiguration = { SchedulerAlgorithm: algorithm ?? '', MemoryOversubscriptionEnabled: hasOversubscription ?? null }
  return {
    ...plainPool(name),
    Description: fields.text(body.attributes, 'description') ?? '',
    Meta: fields.texts(body, 'meta') ?? null,
    SchedulerConfiguration: scheduler === undefined ? null : SchedulerConfiguration,
  }
}

/** A time of at least a second, written as in `10m`. */
interface SchedulerSettings {
  readonly algorithm?: SchedulerAlgorithm | undefined
  readonly hasOversubscription?: boolean | undefined
}

function decodeScheduler(fields: DeclarationFields, { attributes }: Body): SchedulerSettings {
  return {
    algorithm: fields.choice(attributes, 'scheduler_algorithm', ALGORITHMS),
    hasOversubscription: fields.bool(attributes, 'memory_oversubscription_enabled'),
  }
}

/** A folder of hosts makes its pool; indexes are filled in when it is stored. */
export function plainPool(name: string): NodePool {
  return { Name: name, Description: '', Meta: null, SchedulerConfiguration: null, NodeIdentityTTL: 0, CreateIndex: 0, ModifyIndex: 0 }
}
