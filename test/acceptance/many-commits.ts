/** Commits in quick succession, of every kind: in the end exactly what the files say runs. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Cluster, until } from './cluster.js'

const COMMITS = 40
const SETTLED_WITHIN_MS = 30_000
/** Begins what each task sleeps, so that its processes are told from others. */
const DURATION = '7700'
/** Of very different length, in and out of folders, so that what goes is followed by shorter and longer names. */
const PATHS = ['a', 'b-with-a-long-name', 'ops/c', 'ops/deep/er/d', 'ops', 'z/y', 'zz', 'batch/e-1'].map((name) => `jobs/${name}.nomad.hcl`)

/** The same numbers each time: what failed once fails again. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state >>> 8
  }
}

function jobText(id: string, word: string, count: number): string {
  return `job "${id}" {
  group "g" {
    count = ${count}
    update {
      min_healthy_time = "0s"
      max_parallel     = 3
    }
    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/sleep"
        args    = ["${DURATION}${word}"]
      }
      kill_timeout = "1s"
      resources {
        cpu    = 10
        memory = 10
      }
    }
  }
}
`
}

export async function expectManyCommits(cluster: Cluster, tell: (text: string) => void): Promise<void> {
  const random = numbers(11)
  const below = (limit: number) => random.next().value % limit
  const wanted = new Map<string, { readonly id: string; readonly word: string; readonly count: number }>()
  const put = (path: string, id: string, word: number, count: number) => {
    cluster.write(path, jobText(id, String(word), count))
    wanted.set(path, { id, word: String(word), count })
  }
  const drop = (path: string) => {
    rmSync(join(cluster.folder, path), { force: true })
    wanted.delete(path)
  }
  for (let number = 0; number < COMMITS; number++) {
    const path = PATHS[below(PATHS.length)]!
    const known = wanted.get(path)
    const other = PATHS.find((candidate) => !wanted.has(candidate))
    if (known === undefined) put(path, `job-${number}`, number, 1 + below(3))
    else if (below(4) === 0) drop(path)
    else if (below(3) === 0 && other !== undefined) {
      // Moved as it is; into another namespace it is another job.
      drop(path)
      put(other, known.id, Number(known.word), known.count)
    } else put(path, known.id, number, 1 + below(3))
    cluster.commit(`change ${number}`)
  }
  cluster.git('commit', '-q', '--allow-empty', '-m', 'done', '-m', 'Drover-Allow-Delete: *')
  const expected = [...wanted.entries()]
    .map(([path, { id, word, count }]) => `${namespaceOf(path)}/${id}: ${count} of ${DURATION}${word}`)
    .sort()
  const ms = await until('the files are what runs', SETTLED_WITHIN_MS, async () => {
    const found = await whatRuns(cluster)
    return found.join('\n') === expected.join('\n')
  }).catch(async (error: unknown) => {
    throw new Error(`${(error as Error).message}; wanted:\n${expected.join('\n')}\nfound:\n${(await whatRuns(cluster)).join('\n')}`)
  })
  tell(`${COMMITS} commits in quick succession: ${expected.length} jobs run as the files say, ${ms.toFixed(0)} ms after the last`)
}

function namespaceOf(path: string): string {
  const parts = path.split('/')
  return parts.length === 2 ? 'default' : parts[1]!
}

type Row = {
  readonly Namespace: string
  readonly JobID: string
  readonly DesiredStatus: string
  readonly ClientStatus: string
  readonly ID: string
}
type Full = {
  readonly Job: { readonly TaskGroups: readonly { readonly Tasks: readonly { readonly Config: { readonly args: readonly string[] } }[] }[] }
}

/** `namespace/job: how many of which content`, of all jobs but the one that was there before; and no process beside them. */
async function whatRuns(cluster: Cluster): Promise<readonly string[]> {
  const rows = (await cluster.get<Row[]>('/v1/allocations?namespace=*')).filter(
    (row) => row.JobID !== 'hello' && row.ClientStatus === 'running',
  )
  const counts = new Map<string, number>()
  for (const row of rows) {
    const { Job } = await cluster.get<Full>(`/v1/allocation/${row.ID}`)
    const key = `${row.Namespace}/${row.JobID} ${Job.TaskGroups[0]!.Tasks[0]!.Config.args[0]!}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const processes = cluster.tasksOf(`/bin/sleep ${DURATION}`)
  if (processes.length !== rows.length) return [`${processes.length} processes of ${rows.length} allocations`]
  return [...counts].map(([key, count]) => key.replace(/ (\S+)$/, `: ${count} of $1`)).sort()
}
