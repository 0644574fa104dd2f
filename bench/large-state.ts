/** A data folder of a server with many nodes, jobs and allocations, as one that has taken a snapshot and was killed leaves it. */
import { LmdbCommandLog } from '../src/adapters/lmdb/command-log.js'
import { emptySnapshot, snapshotOf } from '../src/controller/index.js'
import { stateFolder } from '../src/main/state-folder.js'
import { decodeSnapshot, type State } from '../src/state/index.js'
import { allocation, taskEvent, taskState, uuid } from '../test/fixtures.js'
import { makeJob, makeNode } from './cluster/makers.js'

export interface StateSize {
  readonly nodes: number
  readonly jobs: number
  readonly allocations: number
}

const NODE = { cores: 16, cpuMhz: 40_000, memoryMb: 64_000 }
const ASK = { cpuMhz: 100, memoryMb: 200 }

/** @returns bytes of the snapshot */
export async function writeLargeState(dataFolder: string, size: StateSize): Promise<number> {
  const snapshot = snapshotOf({ state: largeState(size), chainHash: '' })
  const log = await LmdbCommandLog.open(stateFolder(dataFolder))
  try {
    await log.saveSnapshot(snapshot)
  } finally {
    await log.close()
  }
  return snapshot.bytes.length
}

export function largeState(size: StateSize): State {
  const state = decodeSnapshot(emptySnapshot('5c0ffee0-0000-4000-8000-00000000be8c', 1).bytes)
  for (let at = 0; at < size.nodes; at++) state.nodes.put(1, makeNode(at, NODE, { rack: `r${at % 50}` }))
  for (let at = 0; at < size.jobs; at++) {
    const job = makeJob(`job-${at}`, Math.ceil(size.allocations / size.jobs), ASK, { Status: 'running' })
    state.jobs.put(1, job)
    state.jobVersions.put(1, job)
  }
  for (let at = 0; at < size.allocations; at++) state.allocations.put(1, runningAllocation(at, size))
  return state
}

function runningAllocation(at: number, { nodes, jobs }: StateSize) {
  const jobId = `job-${at % jobs}`
  const node = at % nodes
  return allocation({
    ID: uuid(at, 0xb8),
    EvalID: uuid(at % jobs, 0xc8),
    Name: `${jobId}.group[${Math.floor(at / jobs)}]`,
    NodeID: uuid(node, 0xa0),
    NodeName: `n${node}`,
    JobID: jobId,
    JobCreateIndex: 1,
    ClientStatus: 'running',
    TaskStates: { main: taskState({ Events: [taskEvent(), taskEvent({ Type: 'Task Setup' }), taskEvent({ Type: 'Started' })] }) },
  })
}
