/** The API around a state that the test fills: every change is durable as soon as `release` is called. */

import { type InjectOptions, inject } from 'light-my-request'
import { systemClock } from '../../src/adapters/clock.js'
import { InProcessSyntaxReader } from '../../src/adapters/hcl-syntax/index.js'
import { createJobspecParser } from '../../src/adapters/hcl-syntax/jobspec-parser.js'
import { createHttp, type HttpDeps, type HttpServer } from '../../src/adapters/http/server.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { prometheusText } from '../../src/adapters/prometheus.js'
import { answerJobRequest } from '../../src/api/index.js'
import { ChangeFeed } from '../../src/controller/change-feed.js'
import { EventFeed } from '../../src/controller/event-feed.js'
import { AuditTrail, isHealthy, tellWaiting, tracedJobs } from '../../src/controller/index.js'
import { type Job, newSeconds, OrchestratorError, SOURCE_DEFAULT } from '../../src/domain/index.js'
import { type CommandKind, jobKey, State } from '../../src/state/index.js'

export const WORLD_SETTINGS: HttpDeps['settings'] = {
  region: 'global',
  datacenter: 'dc1',
  name: 'alder',
  writes: 'none',
  showVariables: true,
  identityKeys: [],
  version: '0.1.0',
  address: '127.0.0.1:4646',
}

export class World {
  readonly state = new State()
  readonly changes = new ChangeFeed(this.state)
  readonly events = new EventFeed(this.state, () => this.kind)
  /** Of the Command that `change` stands for. */
  kind: CommandKind = 'job-register'
  readonly http: HttpServer
  readonly reader: { -readonly [Name in keyof HttpDeps['reader']]: HttpDeps['reader'][Name] }

  constructor(over: Partial<HttpDeps> = {}) {
    const { state, changes } = this
    this.state.clusterId = '5c0ffee0-0000-4000-8000-00000000c1d0'
    this.reader = {
      read: async (query) => query(state),
      changed: (keys, viewIndex, signal) => changes.changed(keys, viewIndex, signal),
      events: (fromIndex, signal) => this.events.follow(fromIndex, signal),
      isCurrent: (index) => index === state.index,
      isLeader: true,
      lastContactMs: 0,
    }
    this.http = createHttp({
      reader: this.reader,
      agents: {
        // biome-ignore lint/correctness/useYield: an agent that is not there sends nothing
        async *call() {
          throw new OrchestratorError('BUS_NO_RESPONDERS', 'no agent answers')
        },
      },
      commitPlanner: { plan: () => Promise.reject(new Error('no planner in this test')) },
      refReader: { read: () => Promise.reject(new Error('no repository in this test')) },
      garbage: { collectAll: () => {} },
      actor: { perform: () => Promise.reject(new Error('no actor in this test')) },
      planner: {
        plan: () => Promise.reject(new Error('no planner in this test')),
        explain: () => Promise.reject(new Error('no planner in this test')),
      },
      jobRequests: { answer: (request) => answerJobRequest(request, createJobspecParser(new InProcessSyntaxReader())) },
      sourceTexts: { read: async () => undefined },
      sourceHealth: {
        sourceHealth: [
          { id: SOURCE_DEFAULT, ref: 'HEAD', overlay: null, problem: null, remote: null, fetchSeconds: null, limits: null, looks: null },
        ],
      },
      waitingChanges: { waiting: (view) => tellWaiting(view, view.atMs) },
      commitMemory: { tracedJobs: (view, source, id) => tracedJobs(view, source, id, tellWaiting(view, view.atMs)), commitSeconds: {} },
      webhooks: { receive: () => 'refused', counts: new Map() },
      schedulingHealth: { evaluationTimes: [], assignmentSeconds: newSeconds() },
      jobHealth: { isHealthy },
      prometheus: prometheusText,
      audit: new AuditTrail({ clock: systemClock }),
      past: { answer: () => Promise.reject(new Error('no past in this test')) },
      busHealth: { awayMs: 0, droppedMessages: new Map() },
      logger: silentLogger,
      settings: WORLD_SETTINGS,
      ...over,
    })
  }

  /** One change at the next index. */
  change(apply: (state: State, index: number) => void): number {
    const index = this.state.index + 1
    this.state.index = index
    apply(this.state, index)
    this.changes.release(index)
    this.events.release(index)
    return index
  }

  /** A job as its registration stores it. */
  register(job: Job): Job {
    let stored = job
    this.change((state, index) => {
      stored = { ...job, CreateIndex: state.jobs.get(jobKey(job))?.CreateIndex ?? index, ModifyIndex: index, JobModifyIndex: index }
      state.jobs.put(index, stored)
      state.jobVersions.put(index, stored)
    })
    return stored
  }

  async get(path: string): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
    return this.send('GET', path)
  }

  async send(method: string, path: string, body?: unknown): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
    const payload = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }
    const response = await this.inject({ method: method as 'GET', url: path, ...payload })
    return { status: response.statusCode, text: response.payload, headers: response.headers }
  }

  /** One request without a connection. */
  inject(request: InjectOptions) {
    return inject((asked, response) => void this.http.server.emit('request', asked, response), request)
  }

  async json(path: string): Promise<unknown> {
    const { status, text } = await this.get(path)
    if (status !== 200) throw new Error(`${path} answered ${status} ${text}`)
    return JSON.parse(text)
  }
}
