/**
 * The folders of allocations on disk, as Nomad lays them out. Modes, given in full whatever the process masks out:
 *
 *   <allocation>            0755  ours: no task can put another thing in the place of what is in it
 *     alloc                 1777  ours and sticky: tasks may add to it, and not take `logs` away
 *       data tmp            0777
 *       logs                0755  ours: every task may read the logs, only the supervisor writes them
 *     <task> local          0777
 *       secrets             0700  the task's user's
 *     <task>                0700  ours where the task has a root of its own, which these are put into
 *       secrets             0777  for whatever user its root or its image says
 *       tmp                 1777
 */
import { closeSync, constants, fchmodSync, fchownSync, mkdirSync, openSync, realpathSync } from 'node:fs'
import { lstat, readdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { AllocationDirectories, Driver, IsolationOf, TaskDirectories } from '../../agent/index.js'
import { type Allocation, type Logger, OrchestratorError, type Task } from '../../domain/index.js'
import { makePassableFolder } from '../passable-folder.js'
import { findTaskUser, isRoot, NOBODY, type TaskUser } from '../task-user.js'
import { SecretFolders } from './secrets.js'

export { DiskAllocationFiles } from './files.js'

export class DiskAllocationDirectories implements AllocationDirectories {
  readonly #root: string
  readonly #secrets: SecretFolders

  constructor(root: string, logger: Logger) {
    makePassableFolder(root)
    // Mounts are told of by their real paths.
    this.#root = realpathSync(root)
    this.#secrets = new SecretFolders(logger)
  }

  async create(allocation: Allocation, tasks: readonly Task[], isolationOf: IsolationOf): Promise<void> {
    const folder = this.#folderOf(allocation.ID)
    makeFolder(folder, 0o755)
    makeFolder(join(folder, 'alloc'), 0o1777)
    makeFolder(join(folder, 'alloc', 'logs'), 0o755)
    for (const name of ['data', 'tmp']) makeFolder(join(folder, 'alloc', name), 0o777, NOBODY)
    await Promise.all(tasks.map((task) => this.#createTask(allocation.ID, task, isolationOf(task.Name))))
  }

  async inherit(fromId: string, toId: string, tasks: readonly Task[]): Promise<void> {
    const [from, to] = [this.#folderOf(fromId), this.#folderOf(toId)]
    makeFolder(to, 0o755)
    makeFolder(join(to, 'alloc'), 0o1777)
    await moveFolder(join(from, 'alloc', 'data'), join(to, 'alloc', 'data'))
    for (const { Name } of tasks) {
      makeFolder(join(to, Name), 0o777, NOBODY)
      await moveFolder(join(from, Name, 'local'), join(to, Name, 'local'))
    }
  }

  async #createTask(allocationId: string, task: Task, isolation: Driver['isolation']): Promise<void> {
    const { local, secrets, task: own } = this.of(allocationId, task.Name)
    const hasOwnRoot = isolation !== 'none'
    if (hasOwnRoot) makeFolder(own, 0o700)
    else makeFolder(own, 0o777, NOBODY)
    makeFolder(local, 0o777, NOBODY)
    makeFolder(join(own, 'tmp'), 0o1777, NOBODY)
    // Whom nobody knows the task cannot run as: its driver says so.
    const user = task.User === '' ? undefined : findTaskUser(task.User)
    // The users of an image are its own: nobody here knows who they are.
    const owner = hasOwnRoot ? NOBODY : user
    const mode = hasOwnRoot ? 0o777 : 0o700
    makeFolder(secrets, mode, owner)
    await this.#secrets.mount(secrets, mode, owner)
  }

  of(allocationId: string, taskName: string): TaskDirectories {
    const folder = this.#folderOf(allocationId)
    const task = join(folder, taskName)
    const shared = join(folder, 'alloc')
    return { task, local: join(task, 'local'), secrets: join(task, 'secrets'), shared, logs: join(shared, 'logs') }
  }

  async forgetSecrets(allocationId: string): Promise<void> {
    await this.#secrets.unmountBelow(this.#folderOf(allocationId))
  }

  async remove(allocationId: string): Promise<void> {
    await this.forgetSecrets(allocationId)
    await rm(this.#folderOf(allocationId), { recursive: true, force: true })
  }

  async list(): Promise<readonly string[]> {
    return readdir(this.#root)
  }

  #folderOf(allocationId: string): string {
    return join(this.#root, basename(allocationId))
  }
}

/**
 * The folder with its mode and, where we may give things away, its owner. A task that ran here before may have put a link in its
 * place: then nothing is changed where that leads.
 * @throws OrchestratorError NOT_A_FOLDER
 */
function makeFolder(path: string, mode: number, owner?: TaskUser): void {
  try {
    mkdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (cause) {
    throw new OrchestratorError(
      'NOT_A_FOLDER',
      `${path} is no folder of its own any more; a task has put something else there`,
      { path },
      cause,
    )
  }
  try {
    if (owner !== undefined && isRoot()) fchownSync(fd, owner.uid, owner.gid)
    fchmodSync(fd, mode)
  } finally {
    closeSync(fd)
  }
}

/** A link that a task has put in its place is left alone, and what is at the destination is kept: it was moved in an earlier life of the agent. */
async function moveFolder(from: string, to: string): Promise<void> {
  const [source, there] = await Promise.all([from, to].map((path) => lstat(path).catch(() => undefined)))
  if (source?.isDirectory() === true && there === undefined) await rename(from, to)
}
