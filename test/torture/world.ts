/** A real cluster with a witness on each of its hosts, which are on disks of their own. */
import { execFileSync } from 'node:child_process'
import { until } from '../acceptance/cluster.js'
import { RealCluster } from '../real-cluster.js'
import type { FileChange } from '../scratch-repository.js'
import type { SeededRandom } from '../simulation/seeded-random.js'
import { WITNESS_HOSTS, Witnesses, witnessJob } from './witnesses.js'

const READY_WITHIN_MS = 30_000
/** Room for the agents' own books and the folders of some allocations. */
const HOST_DISK_MB = 192

export class TortureWorld extends RealCluster {
  readonly random: SeededRandom
  readonly witnesses: Witnesses
  /** What is committed beside the witnesses, by job id. */
  readonly jobs = new Map<string, string>()

  static async create(random: SeededRandom): Promise<TortureWorld> {
    return new TortureWorld(random, await RealCluster.ports())
  }

  private constructor(random: SeededRandom, ports: readonly [number, number]) {
    super({ name: 'torture', hosts: WITNESS_HOSTS, onHostFolder: mountDisk }, ports)
    this.random = random
    this.witnesses = new Witnesses(this.folder)
  }

  async start(): Promise<void> {
    this.begin(
      Object.fromEntries(
        WITNESS_HOSTS.map((host): [string, FileChange] => [`jobs/witness-${host}.nomad.hcl`, witnessJob(host, this.folder)]),
      ),
    )
    await until('the witnesses run', READY_WITHIN_MS, () => this.witnesses.areThere)
  }
}

/** A disk of its own, which can be filled without harm to anybody else; an ordinary folder where that needs rights that are not there. */
function mountDisk(folder: string): void {
  if (process.getuid?.() === 0) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${HOST_DISK_MB}m,mode=700`, 'tmpfs', folder])
}
