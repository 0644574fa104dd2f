/** What goes back together when the roll-out of one member of a bundle fails. */
import { expect, test } from 'vitest'
import { failDeployment } from '../../../src/controller/deployment-failure.js'
import type { Job, JobSource } from '../../../src/domain/index.js'
import { apply, type CommandBody, State, standingOf } from '../../../src/state/index.js'
import { commit, deployment, job, jobSource, taskGroup, uuid } from '../../fixtures.js'
import { SeededRandom } from '../../simulation/seeded-random.js'

const AT_MS = 1_800_000_000_000

class Bundle {
  readonly state = new State()
  #atMs = AT_MS

  run(body: CommandBody): void {
    apply(this.state, this.state.index + 1, { ...body, atMs: this.#atMs })
  }

  get(jobId: string): Job {
    return this.state.jobs.get(`default\u0000${jobId}`)!
  }

  /** The next version of a job, as a commit makes it. */
  change(jobId: string, letter: string, over: Partial<JobSource> = {}): void {
    this.#atMs += 1_000
    const version = (this.state.jobs.get(`default\u0000${jobId}`)?.Version ?? -1) + 1
    const source = jobSource({
      jobId,
      path: `jobs/${jobId}.nomad.hcl`,
      commit: commit({ id: letter.repeat(40) }),
      version,
      order: { dependsOn: [], bundle: 'shop', suspend: null, hooks: [] },
      ...over,
    })
    const wanted = job({ ID: jobId, Name: jobId, Version: version, Priority: 50 + version, TaskGroups: [taskGroup({ Count: 1 })] })
    this.run({ kind: 'job-register', job: wanted, source, evaluations: [] })
  }

  rollOut(jobId: string, Status: 'running' | 'successful'): string {
    const { CreateIndex, Version } = this.get(jobId)
    const ID = uuid(this.state.index + 1, 0xd0)
    this.state.deployments.put(
      this.state.index,
      deployment({ ID, JobID: jobId, JobCreateIndex: CreateIndex, JobVersion: Version, Status: 'running' }),
    )
    if (Status === 'successful')
      this.run({ kind: 'deployment-update', updates: [{ DeploymentID: ID, Status, StatusDescription: 'done' }], evaluations: [] })
    return ID
  }

  healthy(jobId: string, letter: string, over: Partial<JobSource> = {}): void {
    this.change(jobId, letter, over)
    this.rollOut(jobId, 'successful')
  }

  fail(jobId: string, isReverting = true): void {
    const id = this.rollOut(jobId, 'running')
    const failed = this.state.deployments.get(id)!
    const { commands } = failDeployment(this.state, failed, this.get(jobId), {
      reason: 'Failed',
      isReverting,
      random: new SeededRandom(1),
    })
    for (const command of commands) this.run(command)
  }

  get priorities(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.state.jobs.all().map(({ ID, Priority }) => [ID, Priority]))
  }

  setAside(jobId: string) {
    return standingOf(this.state, this.get(jobId)).setAside
  }
}

test('the members that changed with it go back, whether they were healthy already or not, and are set aside', () => {
  const bundle = new Bundle()
  for (const id of ['web', 'db', 'cache']) bundle.healthy(id, 'a')
  bundle.healthy('db', 'b')
  bundle.change('cache', 'b')
  const open = bundle.rollOut('cache', 'running')
  bundle.change('web', 'b')
  bundle.fail('web')
  expect(bundle.priorities).toEqual({ web: 50, db: 50, cache: 50 })
  expect(bundle.state.deployments.get(open)).toMatchObject({
    Status: 'failed',
    StatusDescription: 'the roll-out of web, which is of the same bundle, failed',
  })
  expect([bundle.setAside('db')?.reason, bundle.setAside('cache')?.reason]).toEqual([
    'another job of its bundle failed',
    'the roll-out of web, which is of the same bundle, failed',
  ])
  const asked = bundle.state.evaluations.all().map(({ JobID }) => JobID)
  expect(asked.sort()).toEqual(['cache', 'db', 'web'])
})

test('one that waited from an earlier commit on and began with the others goes back with them', () => {
  const bundle = new Bundle()
  for (const id of ['web', 'db']) bundle.healthy(id, 'a')
  bundle.run({
    kind: 'commit-trace',
    trace: {
      commit: commit({ id: 'b'.repeat(40) }),
      detectedMs: AT_MS + 2_500,
      verifiedMs: null,
      parsedMs: AT_MS + 2_500,
      appliedMs: AT_MS + 2_500,
      registered: 0,
      waiting: 1,
      removed: 0,
      frozen: 1,
    },
    forgotten: [],
  })
  bundle.healthy('db', 'c')
  bundle.change('web', 'b')
  bundle.fail('web')
  expect(bundle.priorities).toEqual({ web: 50, db: 50 })
})

test('what changed before, is of another bundle, namespace or source, or has nothing to go back to stays', () => {
  const bundle = new Bundle()
  for (const id of ['web', 'db']) bundle.healthy(id, 'a')
  bundle.healthy('db', 'b')
  bundle.healthy('other', 'a', { order: { dependsOn: [], bundle: 'x', suspend: null, hooks: [] } })
  bundle.healthy('other', 'c', { order: { dependsOn: [], bundle: 'x', suspend: null, hooks: [] } })
  bundle.healthy('theirs', 'a', { sourceId: 'two' })
  bundle.healthy('theirs', 'c', { sourceId: 'two' })
  bundle.change('fresh', 'c')
  bundle.change('web', 'c')
  bundle.fail('web')
  expect(bundle.priorities).toEqual({ web: 50, db: 51, other: 51, theirs: 51, fresh: 50 })
})

test('without auto_revert nobody goes back, and what goes back itself takes nobody along', () => {
  const bundle = new Bundle()
  for (const id of ['web', 'db']) bundle.healthy(id, 'a')
  bundle.healthy('db', 'b')
  bundle.change('web', 'b')
  bundle.fail('web', false)
  expect(bundle.priorities).toEqual({ web: 51, db: 51 })
  bundle.change('web', 'c')
  bundle.change('db', 'c')
  bundle.fail('web')
  expect(bundle.priorities).toEqual({ web: 50, db: 51 })
  const { Version } = bundle.get('db')
  bundle.fail('web')
  expect(bundle.get('db').Version).toBe(Version)
})
