/**
 * A plan of a commit says what the server then does: random repositories, planned by the command line's own reading, committed, and
 * compared. `PLAN_CASES` sets how many commits (300 of them take two minutes).
 */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/adapters/clock.js'
import { CliGitSource } from '../../src/adapters/git/git-source.js'
import { InProcessJobReader, InProcessSyntaxReader } from '../../src/adapters/hcl-syntax/index.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { MemoryCommandLog, MemoryLogStore } from '../../src/adapters/memory/command-log.js'
import { systemRandom } from '../../src/adapters/random.js'
import { CommitPlanner } from '../../src/controller/commit-planner.js'
import { GitReconciler } from '../../src/controller/git-reconciler.js'
import { Leader } from '../../src/controller/leader.js'
import { ChangeGate } from '../../src/controller/order/change-gate.js'
import { FIRST_SOURCE } from '../../src/controller/sources/source-scope.js'
import type { CommitPlan, CommitSummary } from '../../src/domain/index.js'
import { LocalJobFiles } from '../../src/main/job-files.js'
import { type FileChange, ScratchRepository } from '../scratch-repository.js'
import { SeededRandom } from '../simulation/seeded-random.js'

const CASES = Number(process.env['PLAN_CASES'] ?? 25)
const LEASE_MS = 60_000
const TIMEOUT_MS = 60_000 + CASES * 1_000

let repository: ScratchRepository
let git: CliGitSource
let leader: Leader
let reconciler: GitReconciler

beforeEach(async () => {
  repository = new ScratchRepository()
  git = await CliGitSource.open({ repository: repository.folder, ref: 'HEAD' })
  const log = new MemoryCommandLog(new MemoryLogStore(() => performance.now(), LEASE_MS), systemClock)
  leader = await Leader.start({ log, clock: systemClock, random: systemRandom, logger: silentLogger, onStop: () => {} })
  const syntax = new InProcessSyntaxReader()
  const deps = {
    leader,
    git,
    syntax,
    jobs: new InProcessJobReader(syntax),
    random: systemRandom,
    logger: silentLogger,
    region: 'global',
  }
  reconciler = new GitReconciler({ ...deps, options: { rewind: 'hold', ref: 'HEAD' } })
  const propose = (bodies: Parameters<Leader['propose']>[0]) => void leader.propose(bodies)
  const due = { isSettled: () => reconciler.isSettled, onDue: () => leader.nudge() }
  const gate = new ChangeGate({ ...deps, ...due, view: leader.state, clock: systemClock, propose })
  leader.onTurnEnd(() => gate.reconcile())
})
afterEach(async () => {
  leader.retire('the test is over')
  await git.close()
  repository.remove()
})

async function planOf(ref: string): Promise<CommitPlan> {
  const appliedCommit = leader.state.sources.all()[0]?.commit?.id ?? null
  const { summary } = await new LocalJobFiles(repository.folder).summarize({ paths: [], ref, appliedCommit })
  return new CommitPlanner(leader, systemRandom, () => ({ scope: FIRST_SOURCE, rewind: 'hold' })).plan(summary as CommitSummary)
}

const hcl = (id: string, priority: number, drover = '') => `job "${id}" {
  priority = ${priority}
  ${drover === '' ? '' : `meta {\n    drover = "${drover}"\n  }`}
  group "g" {
    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/true"
      }
    }
  }
}
`

/** One file more, less, changed, broken, moved, doubled, or a host's. */
function randomChange(random: SeededRandom): readonly [string, FileChange] {
  const id = `job-${random.between(1, 9)}`
  const folder = random.pick(['', 'default/', 'team-a/', 'team-b/deep/'])
  const path = `jobs/${folder}${random.chance(0.8) ? id : `other-${id}`}.nomad.hcl`
  const host = `agents/${random.pick(['', 'gpu/'])}h${random.between(1, 3)}.hcl`
  return random.pick<readonly [string, FileChange]>([
    [path, hcl(id, random.between(50, 52))],
    [path, hcl(id, random.between(50, 52))],
    [path, hcl(id, 50)],
    [path, hcl(id, random.between(50, 52), `depends_on=job-${random.between(1, 9)}`)],
    [path, hcl(id, random.between(50, 52), random.pick(['bundle=a', 'bundle=a suspend_until=2099-01-01T00:00:00Z suspend_reason=x']))],
    // What no job may become of another.
    [path, hcl(id, 50).replace('  group "g"', '  type = "batch"\n  group "g"')],
    [path, null],
    [path, null],
    [path, hcl(id, 50).replace('group "g" {', 'group "g" {\n    count = -1')],
    [path, 'job "'],
    [`jobs/${random.pick(['link', 'linked'])}`, { link: '../elsewhere' }],
    ['jobs/link', null],
    ['jobs/linked', null],
    [host, `class = "${random.pick(['small', 'large'])}"\n`],
    [host, null],
    [host, 'class = 7 +\n'],
    ['agents/_cluster.hcl', `scheduler_config {\n  scheduler_algorithm = "${random.pick(['spread', 'binpack'])}"\n}\n`],
    ['README.md', `${random.between(1, 1_000_000)}\n`],
  ])
}

const key = ({ namespace, id }: { readonly namespace: string; readonly id: string }) => `${namespace}/${id}`
const jobs = () =>
  new Map(leader.state.jobs.all().map((job) => [key({ namespace: job.Namespace, id: job.ID }), job.Stop ? -1 : job.Version]))
const hosts = () => new Map(leader.state.nodeDeclarations.all().map((host) => [host.name, JSON.stringify(host)]))

test(
  'what a plan says is what the commit then does',
  async () => {
    const random = new SeededRandom(Number(process.env['PLAN_SEED'] ?? 1))
    repository.commit({ 'jobs/job-1.nomad.hcl': hcl('job-1', 50), 'agents/h1.hcl': '' })
    await reconciler.reconcile()
    for (let round = 0; round < CASES; round++) {
      const changes = Object.fromEntries(Array.from({ length: random.between(1, 5) }, () => randomChange(random)))
      const message = random.chance(0.2) ? `round\n\n${random.pick(['Drover-Allow-Delete: *', 'Drover-Evaluate: job-1 job-2'])}` : 'round'
      if (random.chance(0.1)) repository.git('reset', '-q', '--hard', random.pick(['HEAD~1', 'HEAD']))
      repository.commit(changes, message)
      const said = await planOf('HEAD')
      const before = {
        jobs: jobs(),
        hosts: hosts(),
        namespaces: leader.state.namespaces.count,
        applied: leader.state.sources.all()[0]!.commit!.id,
      }
      const { held, frozen, ignored } = await reconciler.reconcile()
      await leader.whenDurable(leader.state.index)
      const about = `round ${round}: ${Object.keys(changes).join(' ')}`
      const of = (...kinds: readonly string[]) => said.jobs.filter(({ change }) => kinds.includes(change))
      const after = jobs()
      const isRewindHeld = held?.reason === 'rewind'
      expect([said.held?.reason, said.held?.jobs], about).toEqual([held?.reason, held?.jobs])
      const isFree = ({ waitsFor }: CommitPlan['jobs'][number]) => waitsFor.length === 0
      const isSame = (job: CommitPlan['jobs'][number]) => after.get(key(job)) === before.jobs.get(key(job))
      for (const job of of('new', 'changed', 'removed'))
        expect(isSame(job), `${about}: ${key(job)} ${job.waitsFor.join()}`).toBe(!isFree(job))
      for (const job of of('none', 'moved')) expect(isSame(job), `${about}: ${key(job)}`).toBe(true)
      const changed = [...after].filter(([id, version]) => version !== -1 && before.jobs.get(id) !== version)
      expect(of('new', 'changed').filter(isFree).length, about).toBe(changed.length)
      expect(of('removed').filter(isFree).map(key).sort(), about).toEqual(
        [...after]
          .filter(([id, version]) => version === -1 && before.jobs.get(id) !== -1)
          .map(([id]) => id)
          .sort(),
      )
      if (!isRewindHeld) {
        const ofJobs = frozen.filter(({ path }) => path.startsWith('jobs'))
        expect(
          of('frozen')
            .map(({ path }) => path)
            .sort(),
          about,
        ).toEqual(ofJobs.map(({ path }) => path).sort())
        expect(said.ignored.length, about).toBe(ignored.length)
      }
      expect(said.namespaces.length, about).toBe(leader.state.namespaces.count - before.namespaces)
      const hostsAfter = hosts()
      const names = new Set([...before.hosts.keys(), ...hostsAfter.keys()])
      expect(said.hosts.map(({ name }) => name).sort(), about).toEqual(
        [...names].filter((name) => hostsAfter.get(name) !== before.hosts.get(name)).sort(),
      )
      // What waits for somebody's word is given up, so that the next rounds have something to do.
      if (isRewindHeld) repository.git('reset', '-q', '--hard', before.applied)
    }
  },
  TIMEOUT_MS,
)

test('a plan says which hook comes before a change', async () => {
  const hook = hcl('migrate', 50, 'before=web').replace('  group "g"', '  type = "batch"\n  parameterized {}\n  group "g"')
  repository.commit({ 'jobs/migrate.nomad.hcl': hook, 'jobs/web.nomad.hcl': hcl('web', 50) })
  await reconciler.reconcile()
  await leader.whenDurable(leader.state.index)
  expect(leader.state.jobs.get('default\u0000web')).toBeUndefined()
  repository.commit({ 'jobs/web.nomad.hcl': hcl('web', 51) })
  const web = (await planOf('HEAD')).jobs.find(({ id }) => id === 'web')
  expect([web?.change, web?.waitsFor]).toEqual(['new', ['migrate comes before it']])
})
