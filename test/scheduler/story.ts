/** Whole decisions over the real tables, told step by step: schedule, apply, look. */
import { expect } from 'vitest'
import { type Allocation, isTerminal, type Job, type JobExplanation, type SchedulingResult } from '../../src/domain/index.js'
import { createScheduler, fitsNode } from '../../src/scheduler/index.js'
import { apply, type CommandBody, jobKey, State } from '../../src/state/index.js'
import { evaluation, FIXTURE_MS, job, node, task, taskGroup, uuid } from '../fixtures.js'

export class Story {
  readonly state = new State()
  readonly #scheduler = createScheduler(this.state)
  #atMs = FIXTURE_MS
  #ids = 1_000

  do(...bodies: readonly CommandBody[]): this {
    for (const body of bodies) apply(this.state, this.state.index + 1, { ...body, atMs: this.#atMs })
    return this
  }

  nodes(count: number, over: Parameters<typeof node>[0] = {}): this {
    for (let at = 1; at <= count; at++)
      this.do({ kind: 'node-register', node: node({ ID: uuid(at, 1), Name: `n${at}`, ...over }), reportNumber: 0, evaluations: [] })
    return this
  }

  register(over: Partial<Job>): this {
    return this.do({ kind: 'job-register', job: job({ CreateIndex: 0, JobModifyIndex: 0, ...over }), source: null, evaluations: [] })
  }

  evaluate(over: Parameters<typeof evaluation>[0] = {}): SchedulingResult {
    const asked = evaluation({
      ID: uuid(this.#ids++, 9),
      JobID: job().ID,
      Status: 'pending',
      Type: this.state.jobs.get(jobKey(job()))?.Type ?? 'service',
      ...over,
    })
    this.do({ kind: 'evaluation-update', evaluations: [asked] })
    const result = this.#scheduler.schedule(asked, { nowMs: this.#atMs, newId: () => uuid(this.#ids++, 7) })
    this.do({ kind: 'plan-apply', plan: result.plan, closes: { evaluation: result.evaluation, created: result.created } })
    for (const each of this.state.nodes.all()) {
      const promised = this.state.allocations.by('node', each.ID).filter((row) => !isTerminal(row))
      expect(fitsNode(each, promised).fits, `node ${each.Name} is promised more than it has`).toBe(true)
    }
    return result
  }

  report(rows: readonly Allocation[], ClientStatus: 'running' | 'complete' | 'failed', healthy?: boolean): this {
    const DeploymentStatus =
      healthy === undefined ? {} : { DeploymentStatus: { Healthy: healthy, Timestamp: new Date(this.#atMs).toISOString() } }
    return this.do({
      kind: 'allocation-update',
      nodeId: '',
      reports: rows.map(({ ID }) => ({ ID, ClientStatus, ClientDescription: '', TaskStates: {}, ...DeploymentStatus })),
      services: [],
      evaluations: [],
    })
  }

  pass(ms: number): this {
    this.#atMs += ms
    return this
  }

  wanted(): readonly Allocation[] {
    return this.state.allocations.all().filter((row) => !isTerminal(row))
  }

  /** What would happen with this job; nothing is applied. */
  plan(next: Job): SchedulingResult {
    const asked = evaluation({ ID: uuid(this.#ids++, 9), JobID: next.ID, Type: next.Type, Status: 'pending', AnnotatePlan: true })
    return this.#scheduler.schedule(asked, { nowMs: this.#atMs, newId: () => uuid(this.#ids++, 7), job: next })
  }

  explain(): JobExplanation {
    return this.#scheduler.explain(this.state.jobs.get(jobKey(job()))!, this.#atMs)
  }
}

export const group = (count: number, over: Partial<ReturnType<typeof taskGroup>> = {}) => taskGroup({ Count: count, ...over })
export const withEnv = (value: string) => [task({ Env: { VALUE: value } })]
export const names = (rows: readonly Allocation[]) => rows.map((row) => row.Name.replace(/^.*\./, '')).sort()
