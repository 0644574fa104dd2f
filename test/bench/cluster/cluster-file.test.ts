import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { loadCluster, placementEvaluation, readClusterFile } from '../../../bench/cluster/cluster-file.js'
import { generateCluster } from '../../../bench/cluster/generated-cluster.js'
import { createScheduler } from '../../../src/scheduler/index.js'
import { uuid } from '../../fixtures.js'

const SHAPE = { nodeCount: 60, filledCount: 2, count: 5, hasSpread: true, constraint: 'half' } as const

/** The text of a generated file in which one member is another; undefined takes it out. */
function textWith(value: unknown, ...path: readonly (string | number)[]): string {
  const file = JSON.parse(JSON.stringify(generateCluster(SHAPE)))
  const owner = path.slice(0, -1).reduce((object, step) => object[step], file)
  owner[path.at(-1)!] = value
  return JSON.stringify(file)
}

test('a generated cluster is read back as it was made', () => {
  const text = JSON.stringify(generateCluster(SHAPE))
  expect(readClusterFile(text)).toEqual({ kind: 'cluster', cluster: JSON.parse(text) })
})

test('the last job of a file is placed on its nodes, where its constraint allows', () => {
  const reading = readClusterFile(JSON.stringify(generateCluster(SHAPE)))
  if (reading.kind === 'refused') throw new Error(reading.reason)
  const state = loadCluster(reading.cluster)
  let ids = 0
  const env = { nowMs: 0, newId: () => uuid(ids++, 0xe0) }
  const { plan } = createScheduler(state).schedule(placementEvaluation(reading.cluster.jobs.at(-1)!, 1), env)
  const racks = plan.Placements.map(({ NodeID }) => Number(state.nodes.get(NodeID)!.Meta!['rack']!.slice(1)))
  expect(racks.map((rack) => rack % 2)).toEqual([0, 0, 0, 0, 0])
})

test('the class that a node claims is not believed but worked out anew', () => {
  const reading = readClusterFile(textWith('v1:1', 'nodes', 0, 'ComputedClass'))
  expect(reading.kind === 'cluster' && reading.cluster.nodes[0]).toEqual(generateCluster(SHAPE).nodes[0])
})

test.each([
  ['it is not JSON', '{', /is not JSON/],
  ['it has another format', textWith(2, 'format'), /at format: .*expected 1/],
  ['a member is missing', textWith(undefined, 'nodes', 3, 'NodeResources', 'Memory'), /at nodes\[3\]\.NodeResources\.Memory: .*undefined/],
  ['a count is negative', textWith(-1, 'jobs', 1, 'TaskGroups', 0, 'Count'), /at jobs\[1\]\.TaskGroups\[0\]\.Count: .*>=0/],
  ['two nodes have one ID', textWith(uuid(0, 0xa0), 'nodes', 1, 'ID'), /two nodes have the same ID/],
  ['an allocation is on no node', textWith('gone', 'allocations', 0, 'NodeID'), /on node gone, which is not in the file/],
  ['an allocation is of no job', textWith('gone', 'allocations', 0, 'JobID'), /of job default\/gone, which is not in the file/],
])('a file is refused with a sentence when %s', (_, text, reason) => {
  expect(readClusterFile(text)).toEqual({ kind: 'refused', reason: expect.stringMatching(reason) })
})

test.each([
  ['--nodes', '4', '--filled', '2'],
  ['--stream', 'coarse', '--nodes', '4'],
])('the command writes a file that the reader takes: %s %s %s %s', (...words) => {
  const text = execFileSync('npx', ['tsx', 'bench/cluster/generate.ts', ...words], { encoding: 'utf8' })
  expect(readClusterFile(text).kind).toBe('cluster')
})
