/**
 * Artifacts: fetched by a process of their own with no more rights than nobody has, into a folder that no task can reach, and then moved
 * into the task's folder file by file.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArtifactDownload, Artifacts } from '../../agent/index.js'
import { OrchestratorError } from '../../domain/index.js'
import { moveIntoTask } from '../task-files.js'
import { isRoot, NOBODY } from '../task-user.js'
import type { DownloadLimits, DownloadOutcome, DownloadRequest } from './request.js'

export interface ArtifactGetterOptions {
  /** Of the agent's own; what is fetched is put together in it. */
  readonly folder: string
  /** What starts the process that downloads. */
  readonly command: readonly string[]
  readonly limits: DownloadLimits
}

const DEFAULT_DESTINATION = 'local/'

export class ArtifactGetter implements Artifacts {
  readonly #options: ArtifactGetterOptions

  constructor(options: ArtifactGetterOptions) {
    this.#options = options
    // Whatever an earlier life left behind.
    rmSync(options.folder, { recursive: true, force: true })
    mkdirSync(options.folder, { recursive: true, mode: 0o711 })
    chmodSync(options.folder, 0o711)
  }

  async download({ artifact, taskFolder, owner, signal }: ArtifactDownload): Promise<void> {
    const folder = join(this.#options.folder, randomUUID())
    mkdirSync(folder, { mode: 0o700 })
    if (isRoot()) chownSync(folder, NOBODY.uid, NOBODY.gid)
    try {
      const mode = artifact.GetterMode === 'file' || artifact.GetterMode === 'dir' ? artifact.GetterMode : 'any'
      const outcome = await this.#get(
        {
          source: artifact.GetterSource,
          options: artifact.GetterOptions ?? {},
          headers: artifact.GetterHeaders ?? {},
          mode,
          isInsecure: artifact.GetterInsecure,
          folder,
          limits: this.#options.limits,
        },
        signal,
      )
      const destination = artifact.RelativeDest || DEFAULT_DESTINATION
      const out = join(folder, 'out')
      const user = artifact.Chown ? owner : ''
      if (outcome.isFile && mode === 'file')
        await moveIntoTask({ from: join(out, outcome.name), root: taskFolder, path: destination, owner: user })
      else await moveTree(out, taskFolder, destination, user)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  async #get(request: DownloadRequest, signal: AbortSignal): Promise<Extract<DownloadOutcome, { kind: 'done' }>> {
    const outcome = await this.#run(request, signal)
    if (outcome.kind === 'done') return outcome
    throw new OrchestratorError('ARTIFACT', `getter subprocess failed: exit status 1: failed to download artifact: ${outcome.message}`, {})
  }

  #run(request: DownloadRequest, signal: AbortSignal): Promise<DownloadOutcome> {
    const [program, ...args] = this.#options.command
    return new Promise((resolve, reject) => {
      const child = spawn(program!, args, {
        cwd: request.folder,
        env: { PATH: process.env.PATH ?? '', HOME: request.folder },
        stdio: ['pipe', 'pipe', 'pipe'],
        signal,
        killSignal: 'SIGKILL',
        timeout: request.limits.timeoutMs,
      })
      let answer = ''
      let said = ''
      child.stdout.on('data', (chunk: Buffer) => {
        answer += chunk.toString()
      })
      child.stderr.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-1000)
      })
      child.on('error', reject)
      child.on('close', (code, killed) => {
        try {
          resolve(JSON.parse(answer) as DownloadOutcome)
        } catch {
          resolve({ kind: 'failed', message: said.trim() || `the download ended by ${killed ?? `exit code ${code}`}` })
        }
      })
      child.stdin.on('error', () => {})
      child.stdin.end(JSON.stringify(request))
    })
  }
}

async function moveTree(from: string, root: string, path: string, owner: string): Promise<void> {
  for (const name of await readdir(from)) {
    const source = join(from, name)
    const found = await lstat(source)
    if (found.isDirectory()) await moveTree(source, root, join(path, name), owner)
    else if (found.isFile()) await moveIntoTask({ from: source, root, path: join(path, name), owner })
  }
}
