/** A temporary repository and a real `drover dev` on it, driven from outside like a user would. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const CLI = resolve('dist/main/cli.js')
const READY_WITHIN_MS = 90_000

export class Cluster {
  readonly folder: string
  url = ''
  output = ''
  #dev: ChildProcess | undefined

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'drover-acceptance-'))
    for (const name of ['jobs', 'agents']) cpSync(resolve(name), join(this.folder, name), { recursive: true })
    this.git('init', '-q', '-b', 'main')
    this.git('config', 'user.email', 'somebody@example.org')
    this.git('config', 'user.name', 'Somebody')
    this.commit('first jobs')
  }

  git(...words: string[]): string {
    return execFileSync('git', ['-C', this.folder, ...words], { encoding: 'utf8' }).trim()
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true })
    writeFileSync(join(this.folder, path), text)
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8')
  }

  commit(subject: string): string {
    this.git('add', '-A')
    this.git('commit', '-q', '-m', subject)
    return this.git('rev-parse', 'HEAD')
  }

  /** Starts `drover dev` and waits until it says that it is ready. */
  async start(...flags: string[]): Promise<void> {
    this.output = ''
    const dev = spawn(process.execPath, [CLI, 'dev', '--repo', this.folder, '--http', '127.0.0.1:0', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#dev = dev
    const collect = (chunk: Buffer) => {
      this.output += chunk.toString('utf8')
    }
    dev.stdout!.on('data', collect)
    dev.stderr!.on('data', collect)
    await until('drover dev is ready', READY_WITHIN_MS, () => {
      if (dev.exitCode !== null) throw new Error(`drover dev ended with ${dev.exitCode}:\n${this.output}`)
      this.url = /ready (http:\S+)/.exec(this.output)?.[1] ?? ''
      return this.url !== ''
    })
  }

  /** The first Ctrl-C. */
  async stop(): Promise<void> {
    const dev = this.#dev
    if (dev === undefined || dev.exitCode !== null) return
    const ended = new Promise((done) => dev.once('exit', done))
    dev.kill('SIGINT')
    await ended
  }

  /** Ends everything that was started and removes the folder. */
  async remove(): Promise<void> {
    await this.stop()
    killBelow(this.folder)
    unmountBelow(this.folder)
    rmSync(this.folder, { recursive: true, force: true })
  }

  cli(...words: string[]): { readonly stdout: string; readonly code: number } {
    try {
      const stdout = execFileSync(process.execPath, [CLI, ...words], {
        cwd: this.folder,
        encoding: 'utf8',
        env: { ...process.env, DROVER_ADDR: this.url },
        stdio: 'pipe',
      })
      return { stdout, code: 0 }
    } catch (error) {
      const { stdout, stderr, status } = error as { stdout: string; stderr: string; status: number }
      return { stdout: stdout + stderr, code: status }
    }
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}${path}`)
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as T
  }

  /** Pids of processes whose command line or environment names the text: found in /proc, as an outsider would. */
  pidsOf(text: string): readonly number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((name) => commandLine(name).includes(text))
      .map(Number)
  }

  /** Living tasks whose command names the text. The command line of the shell around a task holds it too; a task has no child of this kind. */
  tasksOf(text: string): readonly number[] {
    const pids = this.pidsOf(text).filter(isAlive)
    const parents = new Set(pids.map(parentOf))
    return pids.filter((pid) => !parents.has(pid))
  }
}

function parentOf(pid: number): number {
  return Number(/\) \S (\d+)/.exec(commandStat(pid))?.[1])
}

function commandLine(pid: string): string {
  return readProc(pid, 'cmdline').replaceAll('\0', ' ')
}

export function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return false
  const stat = commandStat(pid)
  return stat !== '' && !/\) Z /.test(stat)
}

function commandStat(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return ''
  }
}

export function killQuietly(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Already gone, which is what was wanted.
  }
}

/** Waits for a state; how long it took, in milliseconds. @throws when it does not come */
export async function until(what: string, withinMs: number, holds: () => boolean | Promise<boolean>): Promise<number> {
  const began = performance.now()
  for (;;) {
    if (await holds()) return performance.now() - began
    if (performance.now() - began > withinMs) throw new Error(`${what}: not within ${withinMs} ms`)
    await new Promise((done) => setTimeout(done, 10))
  }
}

/** kill -9 of every process whose command line or environment names a path below the folder: programs, supervisors and their tasks. */
export function killBelow(folder: string): void {
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)) {
    if (['cmdline', 'environ'].some((file) => readProc(name, file).includes(`${folder}/`))) killQuietly(Number(name))
  }
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(join('/proc', pid, file), 'utf8')
  } catch {
    // It has ended since the folder was listed.
    return ''
  }
}

/** Secrets of allocations whose agent was killed. */
export function unmountBelow(folder: string): void {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${folder}/`))
  // What was mounted last lies deepest.
  if (points.length > 0) execFileSync('umount', ['-l', ...points.reverse()])
}
