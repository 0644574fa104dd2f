/** Recorded objects, put into a state as they would be stored, and the answers of its lists in the vectors' terms. */
import type { Allocation, Deployment, Evaluation, Job, Namespace, Node, NodePool, ServiceRegistration } from '../../../src/domain/index.js'
import { jobVersionKey, type State } from '../../../src/state/index.js'
import { World } from '../../api/world.js'
import type { Mismatch } from '../compare.js'

export interface RecordedObjects {
  readonly jobs?: readonly Job[]
  readonly nodes?: readonly Node[]
  readonly allocations?: readonly (Allocation & { readonly Job: Job })[]
  readonly evaluations?: readonly Evaluation[]
  readonly deployments?: readonly Deployment[]
  readonly namespaces?: readonly Namespace[]
  readonly pools?: readonly NodePool[]
  readonly services?: readonly ServiceRegistration[]
}

export function recordedCluster(objects: RecordedObjects): World {
  const world = new World()
  const { state } = world
  const put = <Row extends { readonly ModifyIndex: number }>(
    rows: readonly Row[] | undefined,
    store: (row: Row, index: number) => void,
  ) => {
    for (const row of [...(rows ?? [])].sort((a, b) => a.ModifyIndex - b.ModifyIndex)) store(row, row.ModifyIndex)
  }
  put(objects.jobs, (job, index) => {
    state.jobs.put(index, job)
    state.jobVersions.put(Math.max(index, state.jobVersions.index), job)
  })
  put(objects.nodes, (node, index) => state.nodes.put(index, node))
  put(objects.allocations, (allocation, index) => storeAllocation(state, allocation, index))
  put(objects.evaluations, (evaluation, index) => state.evaluations.put(index, evaluation))
  put(objects.deployments, (deployment, index) => state.deployments.put(index, deployment))
  put(objects.namespaces, (namespace, index) => state.namespaces.put(index, namespace))
  put(objects.pools, (pool, index) => state.nodePools.put(index, pool))
  put(objects.services, (service, index) => state.services.put(index, service))
  return world
}

/** The job that came along is kept as a version, where the API finds it. */
function storeAllocation(state: State, allocation: Allocation & { readonly Job: Job }, index: number): void {
  const { Job: job, ...row } = allocation
  const key = jobVersionKey(job.Namespace, job.ID, job.CreateIndex, job.Version)
  if (state.jobVersions.get(key) === undefined) state.jobVersions.put(Math.max(index, state.jobVersions.index), job)
  state.allocations.put(index, { ...row, JobCreateIndex: job.CreateIndex, JobVersion: job.Version })
}

export interface RecordedAnswer {
  readonly status: number
  readonly keys?: readonly string[]
  readonly nextToken?: string
  readonly text?: string
  readonly body?: unknown
}

/** `keyOf` names an element of the list as the vectors do. */
export async function compareAnswer(
  world: World,
  path: string,
  expected: RecordedAnswer,
  keyOf: (item: Readonly<Record<string, unknown>>) => string,
): Promise<readonly Mismatch[]> {
  const { status, text, headers } = await world.get(path)
  if (status !== expected.status) return [{ path: '$.status', expected: expected.status, got: `${status} ${text.slice(0, 200)}` }]
  if (status !== 200) {
    const [want, got] = [comparable(expected.text ?? ''), comparable(text)]
    return want === got ? [] : [{ path: '$.text', expected: want, got }]
  }
  const token = headers['x-nomad-nexttoken']
  const mismatches: Mismatch[] = token === expected.nextToken ? [] : [{ path: '$.nextToken', expected: expected.nextToken, got: token }]
  if (expected.keys === undefined) return mismatches
  const keys = (JSON.parse(text) as Readonly<Record<string, unknown>>[]).map(keyOf)
  if (JSON.stringify(keys) !== JSON.stringify(expected.keys)) mismatches.push({ path: '$.keys', expected: expected.keys, got: keys })
  return mismatches
}

/** Texts that quote the grammar need only agree up to there. */
function comparable(text: string): string {
  return text.replace(/(failed to read filter expression: ).*$/s, '$1').replace(/^(\d+:\d+ \(\d+\): no match found).*$/s, '$1')
}
