/**
 * B15, repositories: what many sources cost while nothing happens, how long a look at a large repository takes, and what a thousand commits within ten
 * seconds do to the jobs that they change.
 */

import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { systemClock } from '../src/adapters/clock.js'
import { Remotes } from '../src/adapters/git/remote/remotes.js'
import { WorkerSyntaxReader } from '../src/adapters/hcl-syntax/index.js'
import { silentLogger } from '../src/adapters/logger.js'
import { MemoryCommandLog, MemoryLogStore } from '../src/adapters/memory/command-log.js'
import { systemRandom } from '../src/adapters/random.js'
import { WorkerJobReader } from '../src/adapters/workers/job-reader.js'
import { GitReconciler } from '../src/controller/git-reconciler.js'
import { Leader } from '../src/controller/index.js'
import { checkConfig } from '../src/main/config.js'
import { openSource } from '../src/main/open-source.js'
import { serverConfigSchema } from '../src/main/server-config.js'
import { jobspecText } from './jobspec-text.js'
import { type Bench, type BenchOptions, type Measurement, measurement } from './measurement.js'
import { startBenchServer } from './repository.js'

export const b15: Bench = {
  name: 'B15',
  summary: 'repositories: a hundred quiet ones, a large one, a thousand commits in ten seconds',
  async *run(options) {
    yield* quiet(options, 'folder')
    yield* quiet(options, 'remote')
    yield* quiet(options, 'remote-with-webhook')
    yield* large(options)
    yield* burst(options, 'each-another-job')
    yield* burst(options, 'all-one-job')
  },
}

function git(folder: string, ...words: readonly string[]): string {
  const settings = ['-c', 'user.name=x', '-c', 'user.email=x@example.org', '-c', 'gc.auto=0', '-c', 'core.compression=0']
  return execFileSync('git', ['-C', folder, ...settings, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  })
}

interface WrittenCommit {
  readonly subject: string
  readonly files: Readonly<Record<string, string | Buffer>>
}

/** A bare repository with these commits on `branch`. */
async function importCommits(folder: string, branch: string, commits: Iterable<WrittenCommit>): Promise<void> {
  mkdirSync(folder, { recursive: true })
  git(folder, 'init', '-q', '--bare', '--initial-branch=main', '.')
  const child = spawn('git', ['-C', folder, '-c', 'core.compression=0', 'fast-import', '--quiet'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  const write = async (part: string | Buffer) => {
    if (!child.stdin.write(part)) await once(child.stdin, 'drain')
  }
  let at = 0
  for (const { subject, files } of commits) {
    await write(
      `commit ${branch}\ncommitter x <x@example.org> ${1_700_000_000 + at++} +0000\ndata ${Buffer.byteLength(subject)}\n${subject}\n`,
    )
    for (const [path, content] of Object.entries(files)) {
      await write(`M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n`)
      await write(content)
      await write('\n')
    }
  }
  child.stdin.end()
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`)
}

async function* inFolder(work: (folder: string) => AsyncIterable<Measurement>): AsyncIterable<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-b15-'))
  try {
    yield* work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function* quiet({ quick }: BenchOptions, kind: 'folder' | 'remote' | 'remote-with-webhook'): AsyncIterable<Measurement> {
  const count = quick ? 20 : 100
  const seconds = quick ? 10 : 60
  yield* inFolder(async function* (folder) {
    const sources: Record<string, object> = {}
    const webhook = { forge: 'gitlab', secret_file: join(folder, 'secret') }
    writeFileSync(webhook.secret_file, SECRET)
    for (let at = 0; at < count; at++) {
      const namespace = `team-${at}`
      const path = join(folder, `${at}.git`)
      await importCommits(path, 'refs/heads/main', [
        { subject: 'first', files: { [`jobs/${namespace}/job-${at}.nomad.hcl`]: jobspecText(at) } },
      ])
      const allow = { namespaces: [namespace], node_pools: ['*'], drivers: ['*'], privileged: true, host_volumes: ['*'], priority_max: 100 }
      sources[namespace] = {
        repository: kind === 'folder' ? path : `file://${path}`,
        ref: 'refs/heads/main',
        allow,
        ...(kind === 'remote-with-webhook' ? { webhook } : {}),
      }
    }
    const first = join(folder, 'first.git')
    await importCommits(first, 'refs/heads/main', [{ subject: 'first', files: { 'jobs/job.nomad.hcl': jobspecText(count) } }])
    const config = { data_dir: join(folder, 'data'), http: '127.0.0.1:0', source: { repository: first, ref: 'refs/heads/main' }, sources }
    writeFileSync(join(folder, 'server.yaml'), stringify(config))
    const child = spawn(process.execPath, [resolve('dist/main/cli.js'), 'server', '--config', join(folder, 'server.yaml')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const url = await readyUrl(child.stdout)
      const registered = async () => ((await (await fetch(`${url}/v1/jobs?namespace=*`)).json()) as unknown[]).length
      while ((await registered()) < count + 1) await sleep(200)
      if (kind === 'remote-with-webhook') for (const name of Object.keys(sources)) await announce(`${url}/drover/v1/hooks/${name}`)
      await sleep(3_000)
      const before = processorSeconds(child.pid!)
      const began = performance.now()
      await sleep(seconds * 1000)
      const share = (processorSeconds(child.pid!) - before) / ((performance.now() - began) / 1000)
      const name = `quiet, ${kind}s=${count}`
      yield measurement('B15', name, 'share-of-a-core', '1', [share])
      yield measurement('B15', name, 'rss', 'bytes', [rssOf(child.pid!)])
      yield measurement('B15', name, 'processes', '1', [descendants(child.pid!).length])
    } finally {
      child.kill('SIGTERM')
      await once(child, 'close')
    }
  })
}

const SECRET = 'of this benchmark'

async function announce(url: string): Promise<void> {
  const { status } = await fetch(url, { method: 'POST', body: '{}', headers: { 'X-Gitlab-Token': SECRET } })
  if (status !== 202) throw new Error(`${url} answered ${status}`)
}

function readyUrl(output: NodeJS.ReadableStream): Promise<string> {
  return new Promise((found) => {
    let text = ''
    output.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
      const url = /ready (http:\S+)/.exec(text)?.[1]
      if (url !== undefined) found(url)
    })
  })
}

const TICKS_PER_SECOND = 100

/** Of a process, of those that it has waited for, and of those that still run below it. */
function processorSeconds(pid: number): number {
  const sum = (of: number, fields: number) =>
    statOf(of)
      .slice(11, 11 + fields)
      .reduce((total, field) => total + Number(field), 0)
  return descendants(pid).reduce((total, each) => total + sum(each, 2), sum(pid, 4)) / TICKS_PER_SECOND
}

function descendants(pid: number): readonly number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  const parents = new Map(all.map((each) => [each, Number(statOf(each)[1])]))
  const isBelow = (each: number): boolean => parents.get(each) === pid || (parents.has(each) && isBelow(parents.get(each)!))
  return all.filter(isBelow)
}

/** Fields behind the name of the program; none for a process that has just ended. */
function statOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
  } catch {
    return []
  }
}

function rssOf(pid: number): number {
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
}

const MIB = 1024 * 1024
const JOBS_IN_LARGE = 100

async function* large({ quick }: BenchOptions): AsyncIterable<Measurement> {
  const commits = quick ? 2_000 : 50_000
  const megabytes = quick ? 40 : 1_024
  yield* inFolder(async function* (folder) {
    const remote = join(folder, 'remote.git')
    await importCommits(remote, 'refs/heads/main', largeHistory(commits, megabytes))
    const { source } = checkConfig(
      'bench',
      { data_dir: folder, source: { repository: `file://${remote}`, ref: 'refs/heads/main', fetch_timeout_seconds: 3_600 } },
      serverConfigSchema,
    )
    const opened = await openSource({
      id: 'default',
      source,
      dataFolder: folder,
      isNeeded: false,
      count: 1,
      isOnlyOwner: true,
      remotes: new Remotes(),
    })
    const { leader, reconciler, close } = await reconcilerOver(opened.git)
    const timed = async (work: () => Promise<unknown>) => {
      const began = performance.now()
      await work()
      return performance.now() - began
    }
    const fetch = async () => {
      const outcome = await opened.remote!.update()
      if (outcome.kind === 'failed') throw new Error(outcome.problem)
    }
    try {
      const name = `commits=${commits}, MiB=${megabytes}`
      yield measurement('B15', name, 'first-fetch', 'ms', [await timed(fetch)])
      yield measurement('B15', name, 'first-look', 'ms', [await timed(() => reconciler.reconcile())])
      yield measurement('B15', name, 'jobs', '1', [leader.state.jobs.count])
      const again: number[] = []
      for (let round = 0; round < 20; round++) again.push(await timed(() => reconciler.reconcile()))
      yield measurement('B15', name, 'look-without-news', 'ms', again)
      const looks: number[] = []
      const fetches: number[] = []
      for (let round = 1; round <= (quick ? 5 : 10); round++) {
        pushOne(remote, `jobs/job-${round}.nomad.hcl`, jobspecText(round, round))
        fetches.push(await timed(fetch))
        looks.push(await timed(() => reconciler.reconcile()))
      }
      yield measurement('B15', name, 'next-fetch', 'ms', fetches)
      yield measurement('B15', name, 'next-look', 'ms', looks)
    } finally {
      await opened.close()
      await close()
    }
  })
}

function* largeHistory(commits: number, megabytes: number): Iterable<WrittenCommit> {
  const jobs = Object.fromEntries(Array.from({ length: JOBS_IN_LARGE }, (_, at) => [`jobs/job-${at}.nomad.hcl`, jobspecText(at)]))
  yield { subject: 'jobs', files: jobs }
  const every = Math.floor(commits / megabytes)
  for (let at = 1; at < commits; at++) {
    const data = at % every === 0 ? { [`data/${at}.bin`]: randomBytes(MIB) } : {}
    yield { subject: `commit ${at}`, files: { [`docs/page-${at % 500}.md`]: `revision ${at}\n`, ...data } }
  }
}

/** One more commit, made without a work tree. */
function pushOne(remote: string, path: string, text: string): void {
  const stream = `commit refs/heads/main\ncommitter x <x@example.org> 1900000000 +0000\ndata 4\nnext\nfrom refs/heads/main^0\nM 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`
  execFileSync('git', ['-C', remote, 'fast-import', '--quiet'], { input: stream, stdio: ['pipe', 'inherit', 'inherit'] })
}

async function reconcilerOver(git: ConstructorParameters<typeof GitReconciler>[0]['git']) {
  const log = new MemoryCommandLog(new MemoryLogStore(() => performance.now(), 60_000), systemClock)
  const own = { clock: systemClock, random: systemRandom, logger: silentLogger }
  const leader = await Leader.start({ ...own, log, onStop: () => {} })
  const syntax = new WorkerSyntaxReader()
  const jobs = new WorkerJobReader()
  const options = { rewind: 'hold', ref: 'HEAD' } as const
  const reconciler = new GitReconciler({ ...own, leader, git, syntax, jobs, options, region: 'global' })
  return { leader, reconciler, close: async () => void (await Promise.all([syntax.close(), jobs.close()])) }
}

/** Pushes of a few commits each, with a word to the server after each, as a webhook gives it. */
async function* burst({ quick }: BenchOptions, kind: 'each-another-job' | 'all-one-job'): AsyncIterable<Measurement> {
  const commits = quick ? 100 : 1_000
  const withinMs = quick ? 2_000 : 10_000
  const pushes = 100
  yield* inFolder(async function* (folder) {
    const remote = join(folder, 'remote.git')
    const jobs = Object.fromEntries(Array.from({ length: commits }, (_, at) => [`jobs/job-${at}.nomad.hcl`, jobspecText(at)]))
    const changes = Array.from({ length: commits }, (_, at): WrittenCommit => {
      const job = kind === 'all-one-job' ? 0 : at
      return { subject: `change ${at}`, files: { [`jobs/job-${job}.nomad.hcl`]: jobspecText(job, at + 1) } }
    })
    await importCommits(remote, 'refs/heads/next', [{ subject: 'all', files: jobs }, ...changes])
    const ids = git(remote, 'rev-list', '--reverse', 'refs/heads/next').trim().split('\n')
    git(remote, 'update-ref', 'refs/heads/main', ids[0]!)
    const server = await startBenchServer({ repository: `file://${remote}`, ref: 'refs/heads/main' })
    const { state } = server.server.server.leader
    try {
      const began = performance.now()
      for (let push = 1; push <= pushes; push++) {
        git(remote, 'update-ref', 'refs/heads/main', ids[(push * commits) / pushes]!)
        server.server.server.sources.lookAt('default')
        await sleep(Math.max(0, began + (push * withinMs) / pushes - performance.now()))
      }
      const pushedMs = performance.now()
      while (state.sources.get('default')?.commit?.id !== ids.at(-1)) await server.synced()
      const versions = [...state.jobs.values()].map(({ Version }) => Version)
      const name = `burst, commits=${commits}, ${kind}`
      yield measurement('B15', name, 'pushed-within', 'ms', [pushedMs - began])
      yield measurement('B15', name, 'last-push-to-applied', 'ms', [performance.now() - pushedMs])
      yield measurement('B15', name, 'looks-with-news', '1', [state.commitTraces.count - 1])
      yield measurement('B15', name, 'most-changes-of-a-job', '1', [Math.max(...versions)])
      yield measurement('B15', name, 'changes', '1', [versions.reduce((sum, version) => sum + version, 0)])
    } finally {
      await server.stop()
    }
  })
}
