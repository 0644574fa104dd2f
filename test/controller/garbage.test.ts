/** What is forgotten, and what is kept because something still depends on it. */
import { describe, expect, test } from 'vitest'
import { findGarbage, type GarbageThresholds } from '../../src/controller/garbage.js'
import { type Allocation, type Deployment, type Evaluation, type Job, unixNanoseconds } from '../../src/domain/index.js'
import { State } from '../../src/state/index.js'
import { allocation, deployment, evaluation, job, node } from '../fixtures.js'

const AGE: GarbageThresholds = { evaluationMs: 1_000, batchEvaluationMs: 5_000, jobMs: 2_000, deploymentMs: 1_000, nodeMs: 3_000 }
const at = (ms: number) => unixNanoseconds(ms)

class Past {
  readonly state = new State()

  job(over: Partial<Job> = {}): this {
    this.state.jobs.put(1, job({ ID: 'web', SubmitTime: at(0), Status: 'running', ...over }))
    return this
  }

  allocation(over: Partial<Allocation> = {}): this {
    this.state.allocations.put(1, allocation({ ID: 'a', EvalID: 'e', JobID: 'web', ClientStatus: 'complete', ModifyTime: at(0), ...over }))
    return this
  }

  evaluation(over: Partial<Evaluation> = {}): this {
    this.state.evaluations.put(1, evaluation({ ID: 'e', JobID: 'web', Status: 'complete', ModifyTime: at(0), ...over }))
    return this
  }

  deployment(over: Partial<Deployment> = {}): this {
    this.state.deployments.put(1, deployment({ ID: 'd', JobID: 'web', JobVersion: 0, Status: 'failed', ModifyTime: at(0), ...over }))
    return this
  }

  foundAt(nowMs: number): readonly string[] {
    return [...findGarbage(this.state, nowMs, AGE)].flatMap((found) => {
      if (found === undefined) return []
      const { evaluations, allocations, deployments, nodes, jobs } = found
      return [...evaluations, ...allocations, ...deployments, ...nodes, ...jobs.map(({ jobId }) => jobId)]
    })
  }
}

describe('an evaluation', () => {
  const ended = () => new Past().job().evaluation().allocation({ DesiredStatus: 'stop' })

  test('goes with what it placed, once all of that has ended for long', () => {
    expect([ended().foundAt(999), ended().foundAt(1_000)]).toEqual([[], ['e', 'a']])
  })

  test('stays while anything that it placed lives, or is not over itself', () => {
    expect(ended().allocation({ ID: 'b', ClientStatus: 'running' }).foundAt(9_000)).toEqual([])
    expect(new Past().job().evaluation({ Status: 'blocked' }).foundAt(9_000)).toEqual([])
  })

  test('that was called off stays while what names it lives', () => {
    const waited = (ClientStatus: 'running' | 'complete') =>
      new Past()
        .job()
        .evaluation({ Status: 'canceled', WaitUntil: '2026-01-01T00:00:00Z' })
        .allocation({ EvalID: 'other', FollowupEvalID: 'e', ClientStatus })
        .foundAt(9_000)
    expect([waited('running'), waited('complete')]).toEqual([[], ['e']])
  })

  test('of a batch job that has a file stays with what was done, which keeps it from being done again', () => {
    const done = (over: Partial<Job>) =>
      new Past()
        .job({ Type: 'batch', Status: 'dead', ...over })
        .evaluation({ Type: 'batch' })
        .allocation()
    expect(done({}).foundAt(99_000)).toEqual([])
    expect(done({ Stop: true }).foundAt(99_000)).toContain('e')
  })
})

describe('a job', () => {
  test('that is stopped goes whole, and one that has a file never does', () => {
    const dead = (over: Partial<Job>) => new Past().job({ Status: 'dead', ...over }).foundAt(2_000)
    expect([dead({}), dead({ Stop: true })]).toEqual([[], ['web']])
  })

  test('that was made from another goes when its work is done', () => {
    const child = { ID: 'sweep/periodic-1', ParentID: 'sweep', Type: 'batch', Status: 'dead' } as const
    expect(new Past().job(child).foundAt(2_000)).toEqual(['sweep/periodic-1'])
  })
})

describe('a roll-out', () => {
  test('that failed is kept while its version is wanted: it is why that does not run', () => {
    const failed = (over: Partial<Job>) => new Past().job({ CreateIndex: deployment().JobCreateIndex, ...over }).deployment()
    expect([failed({}).foundAt(9_000), failed({ Version: 1 }).foundAt(9_000), failed({ Stop: true }).foundAt(9_000)]).toEqual([
      [],
      ['d'],
      ['d'],
    ])
  })

  test('that was successful goes', () => {
    expect(new Past().job().deployment({ Status: 'successful' }).foundAt(1_000)).toEqual(['d'])
  })
})

test('a host that has been down for long goes when nothing is known to be on it', () => {
  const past = new Past()
  past.state.nodes.put(1, node({ ID: 'n', Status: 'down', StatusUpdatedAt: 0 }))
  expect([past.foundAt(2_999), past.foundAt(3_000)]).toEqual([[], ['n']])
  expect(past.job().allocation({ NodeID: 'n' }).foundAt(3_000)).toEqual([])
})
