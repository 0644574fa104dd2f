/**
 * B11: what a task says and reads: bytes from its pipe into its log, lines from the task to whoever follows the log, and how long after a commit
 * what a template reads is in the rendered file. Real `drover dev`, real raw_exec, looked at from outside.
 */
import { readdirSync, statSync, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readProcess } from '../src/adapters/supervisor/process-table.js'
import { type Cluster, until } from '../test/acceptance/cluster.js'
import { startEmptyCluster } from './empty-cluster.js'
import { type Bench, type BenchOptions, type Measurement, measurement, quantile } from './measurement.js'
import { processes } from './processes.js'

const WITHIN_MS = 120_000
const MEGABYTE_BYTES = 1_000_000
const TICKS_PER_SECOND = 100
const LINE = 'what a task says of itself, over and over again, in lines of a hundred bytes each, with nothing new'

export const b11: Bench = {
  name: 'B11',
  summary: 'logs of a task: bytes a second, and how late a line is; change of a variable → rendered file',
  async *run(options: BenchOptions): AsyncIterable<Measurement> {
    const cluster = await startEmptyCluster()
    try {
      yield* throughput(cluster, options.quick ? 50 : 500)
      yield* tail(cluster, options.quick ? 50 : 500)
      yield* templates(cluster, options.quick ? 20 : 200)
    } finally {
      await cluster.remove()
    }
  },
}

async function* throughput(cluster: Cluster, megabytes: number): AsyncIterable<Measurement> {
  const bytes = megabytes * MEGABYTE_BYTES
  const shell = `yes '${LINE}' | head -c ${bytes}; exec sleep 86398`
  const folder = await startTask(cluster, { name: 'loud', command: '/bin/sh', shell })
  const logs = join(folder, '..', 'alloc', 'logs')
  const size = () =>
    readdirSync(logs).reduce((sum, name) => sum + (name.startsWith('main.stdout.') ? statSync(join(logs, name)).size : 0), 0)
  let firstMs = 0
  let firstBytes = 0
  const busyBefore = supervisorSeconds(cluster)
  await until('something is said', WITHIN_MS, () => {
    firstBytes = size()
    firstMs = performance.now()
    return firstBytes > 0
  })
  await until('all is said', WITHIN_MS, () => size() >= bytes)
  const busySeconds = supervisorSeconds(cluster) - busyBefore
  const perSecond = (bytes - firstBytes) / MEGABYTE_BYTES / ((performance.now() - firstMs) / 1_000)
  const name = `bytes=${megabytes}MB`
  yield measurement('B11', name, 'logs', 'MB/s', [perSecond])
  yield measurement('B11', name, 'logs-a-core', 'MB/s', [(bytes - firstBytes) / MEGABYTE_BYTES / busySeconds])
  yield measurement('B11', name, 'bytes-lost', 'count', [bytes - size()])
  removeTask(cluster, 'loud')
}

/** What the processor has computed for the supervisor. Of a busy machine this says more than the clock. */
function supervisorSeconds(cluster: Cluster): number {
  const [supervisor] = processes((line) => line.includes('supervisor.js') && line.includes(`${cluster.folder}/`))
  const { userTicks, systemTicks } = readProcess(Number(supervisor!.pid))!
  return (userTicks + systemTicks) / TICKS_PER_SECOND
}

async function* tail(cluster: Cluster, lines: number): AsyncIterable<Measurement> {
  const shell = 'mkfifo nap; exec 9<>nap; while :; do echo $EPOCHREALTIME; read -t 0.02 -u 9; done'
  await startTask(cluster, { name: 'ticking', command: '/bin/bash', shell })
  const [allocation] = await cluster.get<readonly { readonly ID: string }[]>('/v1/job/ticking/allocations')
  const abort = new AbortController()
  const path = `/v1/client/fs/logs/${allocation!.ID}?task=main&type=stdout&follow=true&plain=true&origin=end`
  const response = await fetch(`${cluster.url}${path}`, { signal: abort.signal })
  const lateMs: number[] = []
  const decoder = new TextDecoder()
  for await (const piece of response.body!) {
    const nowMs = Date.now()
    for (const line of decoder.decode(piece).split('\n'))
      if (/^\d+[.,]\d{6}$/.test(line)) lateMs.push(nowMs - 1_000 * Number(line.replace(',', '.')))
    if (lateMs.length >= lines) break
  }
  abort.abort()
  yield* shares(`lines=${lines}`, 'line-to-follower', lateMs)
  removeTask(cluster, 'ticking')
}

async function* templates(cluster: Cluster, changes: number): AsyncIterable<Measurement> {
  const write = (n: number) => cluster.write('vars/default/bench/number.yaml', `n: "${n}"\n`)
  write(0)
  const template = `template {
        data        = "{{ with nomadVar \\"bench/number\\" }}{{ .n }}{{ end }}"
        destination = "local/number"
        change_mode = "noop"
      }`
  const folder = await startTask(cluster, { name: 'reading', command: '/bin/sh', shell: 'exec sleep 86398', more: template })
  const lateMs: number[] = []
  for (let n = 1; n <= changes; n++) {
    write(n)
    cluster.git('add', '-A')
    const rendered = whenSaid(join(folder, 'local'), 'number', String(n))
    cluster.git('commit', '-q', '-m', `number ${n}`)
    const committedMs = performance.now()
    lateMs.push(Math.max(0, (await rendered) - committedMs))
  }
  yield* shares(`changes=${changes}`, 'commit-end-to-rendered', lateMs)
}

function* shares(name: string, metric: string, values: readonly number[]): Iterable<Measurement> {
  for (const share of [0.5, 0.99])
    yield { ...measurement('B11', name, `${metric}-p${share * 100}`, 'ms', values), value: quantile(values, share) }
}

interface TaskText {
  readonly name: string
  readonly command: string
  readonly shell: string
  readonly more?: string
}

/** @returns the folder of the task */
async function startTask(cluster: Cluster, { name, command, shell, more = '' }: TaskText): Promise<string> {
  cluster.write(
    `jobs/${name}.nomad.hcl`,
    `job "${name}" {
  group "main" {
    ephemeral_disk {
      size = 700
    }
    task "main" {
      driver = "raw_exec"
      config {
        command = "${command}"
        args    = ["-c", ${JSON.stringify(shell)}]
      }
      logs {
        max_files     = 6
        max_file_size = 100
      }
      ${more}
      resources {
        cpu    = 10
        memory = 10
      }
    }
  }
}
`,
  )
  cluster.commit(name)
  let id = ''
  await until(`${name} runs`, WITHIN_MS, async () => {
    type Stub = { readonly ID: string; readonly ClientStatus: string }
    const all = await cluster.get<readonly Stub[]>(`/v1/job/${name}/allocations`).catch(() => [])
    id = all.find(({ ClientStatus }) => ClientStatus === 'running')?.ID ?? ''
    return id !== ''
  })
  return join(cluster.folder, folderOf(cluster.folder, id), 'main')
}

/** Of an allocation, below the data of whichever agent has it. */
function folderOf(root: string, id: string): string {
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' }).find((path) => path.endsWith(`/alloc/${id}`))
  if (found === undefined) throw new Error(`allocation ${id} has no folder below ${root}`)
  return found
}

function removeTask(cluster: Cluster, name: string): void {
  cluster.git('rm', '-q', `jobs/${name}.nomad.hcl`)
  cluster.commit(`no ${name}`)
}

/** The moment at which the file says `text`. */
function whenSaid(folder: string, file: string, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const give = setTimeout(() => {
      watcher.close()
      reject(new Error(`${file} did not become ${text} within ${WITHIN_MS} ms`))
    }, WITHIN_MS)
    const watcher = watch(folder, () => {
      const nowMs = performance.now()
      void readFile(join(folder, file), 'utf8').then((said) => {
        if (said !== text) return
        clearTimeout(give)
        watcher.close()
        resolve(nowMs)
      })
    })
  })
}
