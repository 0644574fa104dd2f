/** When it is looked for what nobody needs any more, and how much goes at once. */
import { describe, expect, test } from 'vitest'
import { GarbageCollector } from '../../src/controller/garbage-collector.js'
import { type Job, unixNanoseconds } from '../../src/domain/index.js'
import { apply, type CommandBody, State } from '../../src/state/index.js'
import { allocation, evaluation, job } from '../fixtures.js'
import { ManualClock } from './manual-clock.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const THRESHOLDS = { evaluationMs: HOUR_MS, batchEvaluationMs: HOUR_MS, jobMs: HOUR_MS, deploymentMs: HOUR_MS, nodeMs: HOUR_MS }

class Cluster {
  readonly state = new State()
  readonly clock = new ManualClock()
  readonly commands: Extract<CommandBody, { kind: 'garbage-collect' }>[] = []
  readonly collector: GarbageCollector
  /** How often all evaluations were looked at. */
  sweeps = 0

  constructor(thresholds = THRESHOLDS) {
    const { keys } = this.state.evaluations
    this.state.evaluations.keys = () => {
      this.sweeps++
      return keys.call(this.state.evaluations)
    }
    const propose = (bodies: readonly CommandBody[]) => {
      for (const body of bodies) {
        if (body.kind === 'garbage-collect') this.commands.push(body)
        apply(this.state, this.state.index + 1, { ...body, atMs: this.clock.wallMs() })
      }
      return this.state.index
    }
    this.collector = new GarbageCollector({
      leader: { state: this.state, isStopped: false, hasRoom: true, propose, clock: this.clock },
      thresholds,
    })
  }

  get now() {
    return unixNanoseconds(this.clock.wallMs())
  }

  evaluation(ID: string): void {
    this.state.evaluations.put(this.state.index, evaluation({ ID, JobID: 'nobody', Status: 'complete', ModifyTime: this.now }))
  }

  job(over: Partial<Job>, allocations: number): void {
    this.state.jobs.put(1, job({ ID: 'crowd', Status: 'dead', Type: 'batch', SubmitTime: this.now, ...over }))
    for (let at = 0; at < allocations; at++)
      this.state.allocations.put(1, allocation({ ID: `a${at}`, JobID: 'crowd', ClientStatus: 'complete', ModifyTime: this.now }))
  }
}

describe('what has ended', () => {
  test('goes within two minutes after its time has come, although all rows are looked at once an hour only', () => {
    const cluster = new Cluster()
    cluster.clock.advance(20 * MINUTE_MS)
    cluster.evaluation('e')
    cluster.clock.advance(HOUR_MS - 1)
    expect(cluster.state.evaluations.count).toBe(1)
    cluster.clock.advance(2 * MINUTE_MS)
    expect(cluster.state.evaluations.count).toBe(0)
    expect(cluster.sweeps).toBe(2)
  })

  test('stays for another while if it has changed meanwhile', () => {
    const cluster = new Cluster()
    cluster.clock.advance(20 * MINUTE_MS)
    cluster.evaluation('e')
    cluster.clock.advance(50 * MINUTE_MS)
    cluster.evaluation('e')
    cluster.clock.advance(HOUR_MS - 1)
    expect(cluster.state.evaluations.count).toBe(1)
    cluster.clock.advance(2 * MINUTE_MS)
    expect(cluster.state.evaluations.count).toBe(0)
  })

  test('is looked for as often as the shortest threshold asks, at most once a minute', () => {
    const sweepsInHour = (evaluationMs: number) => {
      const cluster = new Cluster({ ...THRESHOLDS, evaluationMs })
      cluster.clock.advance(HOUR_MS - 1)
      return cluster.sweeps
    }
    expect([sweepsInHour(24 * HOUR_MS), sweepsInHour(10 * MINUTE_MS), sweepsInHour(1)]).toEqual([1, 6, 59])
  })

  test('is looked for although the clock was set back by a day', () => {
    const cluster = new Cluster()
    cluster.clock.advance(2 * MINUTE_MS)
    cluster.clock.wallOffsetMs = -24 * HOUR_MS
    cluster.evaluation('e')
    cluster.clock.advance(HOUR_MS + 2 * MINUTE_MS)
    expect(cluster.state.evaluations.count).toBe(0)
  })

  test('goes at once when somebody asks for it', () => {
    const cluster = new Cluster()
    cluster.evaluation('e')
    cluster.collector.collectAll()
    cluster.clock.advance(0)
    expect(cluster.state.evaluations.count).toBe(0)
  })
})

describe('a job that ran much', () => {
  test('goes in pieces when it is stopped, and last itself', () => {
    const cluster = new Cluster()
    cluster.job({ Stop: true }, 1_000)
    cluster.collector.collectAll()
    cluster.clock.advance(0)
    expect(cluster.state.allocations.count + cluster.state.jobs.count).toBe(0)
    expect(Math.max(...cluster.commands.map(({ allocations }) => allocations.length))).toBeLessThan(400)
    expect(cluster.commands.map(({ jobs }) => jobs.length)).toEqual([...Array(cluster.commands.length - 1).fill(0), 1])
  })

  test('goes at once when it is a child that would run again what was already forgotten', () => {
    const cluster = new Cluster()
    cluster.job({ ParentID: 'parent' }, 1_000)
    cluster.collector.collectAll()
    cluster.clock.advance(0)
    expect(cluster.commands.map(({ allocations, jobs }) => [allocations.length, jobs.length])).toEqual([[1_000, 1]])
  })
})
