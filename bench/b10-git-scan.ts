/**
 * B10, the git side: from a commit to Commands, on a real repository of many job files: the first full read, a commit of one file, a
 * commit of a thousand.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/adapters/clock.js'
import { CliGitSource } from '../src/adapters/git/git-source.js'
import { WorkerSyntaxReader } from '../src/adapters/hcl-syntax/index.js'
import { silentLogger } from '../src/adapters/logger.js'
import { MemoryCommandLog, MemoryLogStore } from '../src/adapters/memory/command-log.js'
import { systemRandom } from '../src/adapters/random.js'
import { WorkerJobReader } from '../src/adapters/workers/job-reader.js'
import { GitReconciler } from '../src/controller/git-reconciler.js'
import { Leader } from '../src/controller/index.js'
import { jobspecText } from './jobspec-text.js'
import { type BenchOptions, type Measurement, measurement } from './measurement.js'

export async function* gitScan(options: BenchOptions): AsyncIterable<Measurement> {
  const count = options.quick ? 500 : 10_000
  const folder = mkdtempSync(join(tmpdir(), 'drover-b10-'))
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=x', '-c', 'user.email=x@example.org', '-c', 'gc.auto=0', ...words], {
      stdio: 'pipe',
    })
  const write = (at: number, generation: number) => writeFileSync(join(folder, 'jobs', `job-${at}.nomad.hcl`), jobspecText(at, generation))
  try {
    git('init', '-q')
    mkdirSync(join(folder, 'jobs'))
    for (let at = 0; at < count; at++) write(at, 0)
    git('add', '-A')
    git('commit', '-q', '-m', 'all')
    const { reconciler, close } = await startReconciler(folder)
    const name = `repository=${count}`
    const timed = async () => {
      const began = performance.now()
      await reconciler.reconcile()
      return performance.now() - began
    }
    yield measurement('B10', name, 'first-full-read', 'ms', [await timed()])
    yield measurement('B10', name, 'rss', 'bytes', [process.memoryUsage().rss])
    const one: number[] = []
    for (let round = 1; round <= (options.quick ? 5 : 20); round++) {
      write(round, round)
      git('commit', '-q', '-a', '-m', 'one')
      one.push(await timed())
    }
    yield measurement('B10', name, 'one-file-commit', 'ms', one)
    for (let at = 0; at < Math.min(1_000, count); at++) write(at, 1_000)
    git('commit', '-q', '-a', '-m', 'many')
    yield measurement('B10', name, `commit-of-${Math.min(1_000, count)}-files`, 'ms', [await timed()])
    await close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function startReconciler(folder: string): Promise<{ readonly reconciler: GitReconciler; readonly close: () => Promise<void> }> {
  const log = new MemoryCommandLog(new MemoryLogStore(() => performance.now(), 60_000), systemClock)
  const leader = await Leader.start({ log, clock: systemClock, random: systemRandom, logger: silentLogger, onStop: () => {} })
  const source = await CliGitSource.open({ repository: folder, ref: 'HEAD' })
  const syntax = new WorkerSyntaxReader()
  const jobs = new WorkerJobReader()
  const reconciler = new GitReconciler({
    leader,
    git: source,
    syntax,
    jobs,
    random: systemRandom,
    logger: silentLogger,
    options: { rewind: 'hold', ref: 'HEAD' },
    region: 'global',
  })
  return { reconciler, close: async () => void (await Promise.all([source.close(), syntax.close(), jobs.close()])) }
}
