/** A random cluster with a random job to schedule: small, so that a failure can be read, and told by small choices, so that it shrinks. */
import fc from 'fast-check'
import {
  type Allocation,
  type Deployment,
  type Evaluation,
  type NodePool,
  SCHEDULER_CONFIGURATION_DEFAULT,
  type SchedulerAlgorithm,
} from '../../../src/domain/index.js'
import { createScheduler, type ScheduleEnv } from '../../../src/scheduler/index.js'
import { State } from '../../../src/state/index.js'
import { deployment, deploymentState, evaluation, FIXTURE_MS, uuid } from '../../fixtures.js'
import { makeOther, makeOtherJob, makeOwn, OTHER_PRIORITIES, otherCase, ownCase } from './allocation-case.js'
import type { Feature } from './feature.js'
import { INCARNATIONS, JOB_ID, jobCase, makeGroup, makeJob } from './job-case.js'
import { makeNode, nodeCase } from './node-case.js'

const NODES_MAX = 10
const OTHER_JOBS = OTHER_PRIORITIES.flatMap((priority) => [makeOtherJob(priority, false), makeOtherJob(priority, true)])
const ANY_LENGTH = { size: 'max' } as const
const ALGORITHMS: readonly SchedulerAlgorithm[] = ['balanced', 'binpack', 'spread']

export function clusterCase(features: readonly Feature[]) {
  const has = (feature: Feature) => features.includes(feature)
  return fc.record({
    nodes: fc.array(nodeCase(features), { minLength: 1, maxLength: NODES_MAX, ...ANY_LENGTH }),
    job: jobCase(features),
    own: fc.array(ownCase(features, NODES_MAX), { maxLength: has('history') ? 6 : 3, ...ANY_LENGTH }),
    others: fc.array(otherCase(features, NODES_MAX), { maxLength: has('preemption') ? 16 : 6, ...ANY_LENGTH }),
    algorithm: fc.constantFrom(...ALGORITHMS),
    poolAlgorithm: fc.constantFrom('', '', 'spread'),
    mayPreempt: has('preemption') ? fc.constantFrom(true, true, false) : fc.constant(false),
    deployment: has('history') ? fc.constantFrom(undefined, 'running', 'failed', 'canaries') : fc.constant(undefined),
    evaluation: fc.nat(1_000),
  })
}

export type ClusterCase = ReturnType<typeof clusterCase> extends fc.Arbitrary<infer T> ? T : never

export interface World {
  readonly state: State
  readonly evaluation: Evaluation
  readonly env: ScheduleEnv
}

const LOADED_AT = 100

/** `arrange` may put what is stored into another order. */
export function makeWorld(given: ClusterCase, arrange: <T>(rows: readonly T[]) => readonly T[] = (rows) => rows): World {
  const state = new State()
  state.index = LOADED_AT
  state.atMs = FIXTURE_MS
  const { mayPreempt } = given
  state.schedulerConfiguration = {
    ...SCHEDULER_CONFIGURATION_DEFAULT,
    SchedulerAlgorithm: given.algorithm,
    PreemptionConfig: {
      SystemSchedulerEnabled: mayPreempt,
      SysBatchSchedulerEnabled: mayPreempt,
      BatchSchedulerEnabled: mayPreempt,
      ServiceSchedulerEnabled: mayPreempt,
    },
  }
  state.nodePools.put(LOADED_AT, pool('gpu', given.poolAlgorithm))
  for (const node of arrange(given.nodes.map(makeNode))) state.nodes.put(LOADED_AT, node)
  const [old, current] = [makeJob(given.job, 'old'), makeJob(given.job, 'current')]
  for (const job of arrange([current, ...OTHER_JOBS])) {
    state.jobs.put(LOADED_AT, job)
    state.jobVersions.put(LOADED_AT, job)
  }
  state.jobVersions.put(LOADED_AT, old)
  state.jobVersions.put(LOADED_AT, { ...old, CreateIndex: INCARNATIONS.purged, JobModifyIndex: INCARNATIONS.purged })
  const known = deploymentOf(given)
  if (known !== undefined) state.deployments.put(LOADED_AT, known)
  for (const row of arrange(allocationsOf(given, state, known))) state.allocations.put(LOADED_AT, row)
  let made = 0
  return {
    state,
    evaluation: evaluation({
      ID: uuid(given.evaluation, 9),
      JobID: JOB_ID,
      Type: given.job.type,
      Priority: given.job.priority,
      AnnotatePlan: true,
    }),
    env: { nowMs: FIXTURE_MS, newId: () => uuid(made++, 7) },
  }
}

function pool(Name: string, SchedulerAlgorithm: string): NodePool {
  return {
    Name,
    Description: '',
    Meta: null,
    SchedulerConfiguration: { SchedulerAlgorithm, MemoryOversubscriptionEnabled: true },
    NodeIdentityTTL: 0,
    CreateIndex: 1,
    ModifyIndex: 1,
  }
}

function deploymentOf({ deployment: kind, job }: ClusterCase): Deployment | undefined {
  if (kind === undefined || job.type === 'batch' || job.type === 'sysbatch') return undefined
  const state = deploymentState({ DesiredTotal: 3, PlacedAllocs: 6, DesiredCanaries: kind === 'canaries' ? 1 : 0 })
  return deployment({
    ID: uuid(1, 4),
    JobID: JOB_ID,
    JobVersion: 1,
    JobCreateIndex: INCARNATIONS.old,
    Status: kind === 'canaries' ? 'running' : kind,
    TaskGroups: Object.fromEntries(job.groups.map((_, at) => [`g${at}`, state])),
  })
}

function allocationsOf(given: ClusterCase, { nodes }: State, known: Deployment | undefined): readonly Allocation[] {
  const all = nodes.all()
  const rows: Allocation[] = []
  for (const [at, each] of given.others.entries()) rows.push(makeOther(each, at, all[each.on % all.length]!, rows))
  const isSystem = given.job.type === 'system' || given.job.type === 'sysbatch'
  const names = [0, 0]
  for (const [at, each] of given.own.entries()) {
    const group = each.group % given.job.groups.length
    const node = all[each.on % all.length]!
    // A system job has one of each group on a node.
    if (isSystem && rows.some((row) => row.NodeID === node.ID && row.TaskGroup === `g${group}` && row.JobID === JOB_ID)) continue
    rows.push(
      makeOwn(
        each,
        {
          at,
          node,
          group: makeGroup(given.job.groups[group]!, group, given.job.type, each.version === 'current' ? 'current' : 'old'),
          nameIndex: isSystem ? 0 : names[group]!++,
          jobCreateIndex: each.version === 'purged' ? INCARNATIONS.purged : INCARNATIONS.old,
          jobVersion: each.version === 'current' ? 1 : 0,
          deploymentId: each.isDeployed && each.version === 'current' ? known?.ID : undefined,
          rows,
        },
        JOB_ID,
      ),
    )
  }
  return rows
}

export function schedule({ state, evaluation: asked, env }: World) {
  return createScheduler(state).schedule(asked, env)
}
