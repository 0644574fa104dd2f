/** A reconciler over a repository and a log in memory. */
import { expect } from 'vitest'
import { systemClock } from '../../src/adapters/clock.js'
import { InProcessJobReader, InProcessSyntaxReader } from '../../src/adapters/hcl-syntax/index.js'
import { silentLogger } from '../../src/adapters/logger.js'
import { MemoryCommandLog, MemoryLogStore } from '../../src/adapters/memory/command-log.js'
import { systemRandom } from '../../src/adapters/random.js'
import { GitReconciler, type GitReconcilerDeps } from '../../src/controller/git-reconciler.js'
import { foldLog, Leader } from '../../src/controller/index.js'
import { dumpState } from '../../src/state/index.js'
import { SimulatedRepository } from '../simulation/simulated-git.js'

/** Nobody else wants to lead; a machine that is busy must not look like a log that does not answer. */
const LEASE_MS = 60_000

export interface WorldOptions {
  readonly commandBytesMax?: number
  readonly repository?: SimulatedRepository
  readonly trust?: GitReconcilerDeps['trust']
  readonly rewind?: 'hold' | 'follow'
}

export async function reconcilerWorld({ repository = new SimulatedRepository(), trust, rewind = 'follow', ...options }: WorldOptions = {}) {
  const disk = new MemoryLogStore(() => performance.now(), LEASE_MS)
  const stops: string[] = []
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger }
  const log = new MemoryCommandLog(disk, systemClock)
  const leader = await Leader.start({ ...deps, log, onStop: (reason) => stops.push(reason), ...options })
  const git = repository.sourceFor(systemClock)
  const reconciler = new GitReconciler({
    ...deps,
    leader,
    git,
    syntax: new InProcessSyntaxReader(),
    jobs: new InProcessJobReader(),
    options: { rewind, ref: 'HEAD' },
    trust,
    region: 'global',
  })
  /** Commits, looks, and makes sure that the log says the same. */
  const apply = async (files: Readonly<Record<string, string | null>>, commit: Parameters<SimulatedRepository['commit']>[1] = {}) => {
    repository.commit(files, commit)
    return look()
  }
  const look = async () => {
    const outcome = await reconciler.reconcile()
    // What is decided at the end of a turn is part of it.
    for (let index = -1; index !== leader.state.index; ) {
      index = leader.state.index
      await leader.whenDurable(index)
    }
    expect(stops).toEqual([])
    expect(dumpState((await foldLog(new MemoryCommandLog(disk, systemClock))).state)).toBe(dumpState(leader.state))
    return outcome
  }
  return { leader, reconciler, apply, look, jobIds: () => leader.state.jobs.all().map((job) => job.ID) }
}
