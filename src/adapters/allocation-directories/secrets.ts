/**
 * `<task>/secrets`: in memory where this host lets us, so that what is written there reaches no disk; a plain folder otherwise.
 * The mount goes with the folder.
 */
import { lstatSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { explainError, type Logger } from '../../domain/index.js'
import { KeptShell } from '../kept-shell.js'
import { findTool } from '../supervisor/tools.js'
import { isRoot, type TaskUser } from '../task-user.js'

/** As in Nomad: 1 MiB, and nothing in it can be executed. */
const OPTIONS = 'size=1m,noexec,nosuid,nodev'

export class SecretFolders {
  readonly #mount: string | undefined
  readonly #unmount: string | undefined
  readonly #logger: Logger
  readonly #shell = new KeptShell()
  #isPossible: boolean

  constructor(logger: Logger) {
    this.#mount = findTool('mount')
    this.#unmount = findTool('umount')
    this.#logger = logger
    this.#isPossible = isRoot() && this.#mount !== undefined && this.#unmount !== undefined
  }

  /** Puts memory under the folder. Without effect where that was done before, or cannot be done here. */
  async mount(folder: string, mode: number, user: TaskUser | undefined): Promise<void> {
    if (!this.#isPossible || isMountPoint(folder)) return
    const owner = user === undefined ? '' : `,uid=${user.uid},gid=${user.gid}`
    try {
      await this.#run([this.#mount!, '-t', 'tmpfs', '-o', `${OPTIONS},mode=${mode.toString(8)}${owner}`, 'drover-secrets', folder])
    } catch (error) {
      // A container without the right to mount: once is enough to know.
      this.#isPossible = false
      this.#logger.warn({ folder, error: explainError(error) }, 'secrets are kept on disk: no memory file system can be mounted here')
    }
  }

  /** What is mounted below `folder`, also by an earlier life of the agent. What is in use still goes with its last user. */
  async unmountBelow(folder: string): Promise<void> {
    if (this.#unmount === undefined || !isRoot()) return
    const points = mountPoints().filter((point) => point.startsWith(`${folder}/`))
    if (points.length > 0) await this.#run([this.#unmount, '-l', ...points])
  }

  async #run(words: readonly string[]): Promise<void> {
    const { exitCode, output } = await this.#shell.run(words)
    if (exitCode !== 0) throw new Error(output.trim() || `${words[0]} ended with ${exitCode}`)
  }
}

/** Of a file system of its own. */
function isMountPoint(folder: string): boolean {
  return lstatSync(folder).dev !== lstatSync(dirname(folder)).dev
}

/** Of this process's view of the host. Spaces and the like are written in octal. */
function mountPoints(): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ')[4]!.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))))
}
