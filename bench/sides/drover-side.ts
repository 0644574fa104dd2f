/** `drover dev` on a repository of its own: jobs are committed. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Cluster, killQuietly } from '../../test/acceptance/cluster.js'
import { startEmptyCluster } from '../empty-cluster.js'
import { environmentOf, isTask, type Process, processes } from '../processes.js'
import { getJson, type JobText, runningIds, type Side, type SidePrograms, untilSo } from './side.js'

export class DroverSide implements Side {
  readonly name = 'drover'
  readonly programs: SidePrograms
  readonly #cluster: Cluster

  static async start(): Promise<DroverSide> {
    return new DroverSide(await startEmptyCluster())
  }

  private constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.programs = {
      kill: ({ tasks }) => this.#kill(tasks),
      start: () => cluster.start(),
      processes: () => this.#processes(),
    }
  }

  get url(): string {
    return this.#cluster.url
  }

  async prepare(jobs: readonly JobText[]): Promise<() => Promise<void>> {
    for (const { id, text } of jobs) this.#cluster.write(`jobs/${id}.nomad.hcl`, text)
    this.#cluster.git('add', '-A')
    return async () => void this.#cluster.git('commit', '-q', '-m', `${jobs.length} jobs`)
  }

  async clear(): Promise<void> {
    rmSync(join(this.#cluster.folder, 'jobs'), { recursive: true })
    this.#cluster.write('jobs/README.md', 'nothing any more')
    this.#cluster.git('add', '-A')
    // Without the trailer the guard of deletions takes it for a mistake.
    this.#cluster.git('commit', '-q', '-m', 'no jobs', '--trailer', 'Drover-Allow-Delete: *')
    await untilSo('all jobs are gone', async () => {
      const jobs = await getJson<readonly { readonly Status: string }[]>(`${this.url}/v1/jobs`)
      return jobs.every(({ Status }) => Status === 'dead') && (await runningIds(this)).length === 0
    })
  }

  remove(): Promise<void> {
    return this.#cluster.remove()
  }

  #processes() {
    const own = processes((line) => line.includes(this.#cluster.folder)).filter((one) => !isTask(one))
    const isHelper = ({ line }: Process) => line.includes('drover-run')
    return { programs: own.filter((one) => !isHelper(one)), helpers: own.filter(isHelper) }
  }

  async #kill(tasks: boolean): Promise<void> {
    const tasksOfIts = () => processes(() => true).filter((one) => environmentOf(one).includes(this.#cluster.folder) && isTask(one))
    const doomed = () => [...this.#processes().programs, ...(tasks ? [...this.#processes().helpers, ...tasksOfIts()] : [])]
    // What was about to be started when its parent died is found at the next look.
    await untilSo('all are dead', () => {
      const all = doomed()
      for (const { pid } of all) killQuietly(Number(pid))
      return all.length === 0
    })
  }
}
