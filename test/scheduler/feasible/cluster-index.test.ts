/** What is kept between evaluations equals what is made anew (the node table itself: node-table.test.ts). */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Job } from '../../../src/domain/index.js'
import { ClusterIndex } from '../../../src/scheduler/feasible/cluster-index.js'
import { State } from '../../../src/state/index.js'
import type { Feature } from '../cases/feature.js'
import { jobCase, makeJob } from '../cases/job-case.js'
import { makeNode, nodeCase, nodeId } from '../cases/node-case.js'

const NODES = 5
const FEATURES: readonly Feature[] = ['conditions', 'affinities', 'holdings']
const TARGETS = ['${meta.rack}', '${node.class}', '${node.unique.id}', '${attr.missing}', 'text']

const change = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), at: fc.nat(NODES - 1), as: nodeCase(FEATURES) }),
  fc.record({ kind: fc.constant('gone' as const), at: fc.nat(NODES - 1) }),
  fc.record({ kind: fc.constant('asked' as const), job: fc.nat(1), target: fc.constantFrom(...TARGETS) }),
)

test('feasibility and values that are kept equal those made anew, whatever was asked in between', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40, size: 'max' }), fc.tuple(jobCase(FEATURES), jobCase(FEATURES)), (changes, given) => {
      const state = new State()
      const kept = new ClusterIndex(state)
      const jobs = given.map((each) => makeJob(each, 'current'))
      for (const [index, each] of changes.entries()) {
        if (each.kind === 'put') state.nodes.put(index, makeNode(each.as, each.at))
        else if (each.kind === 'gone') state.nodes.delete(index, nodeId(each.at))
        else {
          const job = jobs[each.job]!
          for (const group of job.TaskGroups) kept.feasibility.of(job, group)
          kept.columns.of(each.target)
        }
      }
      const made = new ClusterIndex(state)
      for (const job of jobs) expect(feasibilityOf(kept, job)).toEqual(feasibilityOf(made, job))
      for (const target of TARGETS) expect(valuesOf(kept, target)).toEqual(valuesOf(made, target))
    }),
    { numRuns: 500 },
  )
})

/** By node, because rows of nodes that have gone are used again. */
function byNode<T>({ table }: ClusterIndex, answer: (row: number) => T): readonly (T | undefined)[] {
  return Array.from({ length: NODES }, (_, at) => {
    const row = table.rowOf(nodeId(at))
    return row === undefined ? undefined : answer(row)
  })
}

function feasibilityOf(index: ClusterIndex, job: Job) {
  return job.TaskGroups.map((group) => {
    const kept = index.feasibility.of(job, group)
    const { candidateCount, filteredCount, byDatacenter, filteredByReason, filteredByClass, classEligibility } = kept
    const nodes = byNode(index, (row) => ({ reason: kept.reasonOf(row), affinity: kept.affinity?.[kept.positions[row]!] }))
    return { candidateCount, filteredCount, byDatacenter, filteredByReason, filteredByClass, classEligibility, nodes }
  })
}

function valuesOf(index: ClusterIndex, target: string) {
  const column = index.columns.of(target)
  return byNode(index, (row) => column.values[column.ids[row]!])
}
