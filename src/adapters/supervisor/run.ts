/** One run as the supervisor holds it: its pipes, its logs, and how it ended. */
import { closeSync, constants, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { fromCheckedJson, toCheckedJson } from '../checked-json.js'
import {
  cgroupPids,
  createBounded,
  createCgroup,
  type GroupFolders,
  hasRunOutOfMemory,
  killCgroup,
  type RunLimits,
  removeCgroup,
} from './cgroup.js'
import { LogWriter } from './log-writer.js'
import { NotePipe } from './note-pipe.js'
import { OutputPipe } from './output-pipe.js'
import type { PipeWatch } from './pipe-watch.js'
import { findSession, findWrappers, isSameProcess, oldestChild, readBootId, readProcess, sendSignal } from './process-table.js'
import { RunError, type RunExit, type RunInfo, type RunLogs, type RunStart } from './protocol.js'
import type { Tools } from './tools.js'
import { commandScript, sandboxScript, startScript } from './wrapper.js'
import type { WrapperPool } from './wrapper-pool.js'

/** What is written down of a run before it is started. */
interface RunRecord {
  readonly runId: string
  /** Absent in what earlier versions wrote. */
  readonly taskId?: string
  readonly logs: RunLogs
  readonly bootId: string
  readonly cgroup: string | null
  /** Groups that bound it, to go with it. */
  readonly bounded?: readonly string[]
  /** See `RunSandbox.hasOwnProcesses`; absent: it has no sandbox. */
  readonly sandbox?: { readonly hasOwnProcesses: boolean }
}

/** Written down once they are known. */
interface RunPids {
  readonly wrapperPid: number
  readonly wrapperStartTime: string
  /** 0: of a task in a sandbox that was gone before anybody saw it. */
  readonly pid: number
  readonly startTime: string
}

/** A stream of the task. */
interface Output {
  readonly pipe: OutputPipe
  readonly log: LogWriter | undefined
  readonly take: () => number
  readonly unwatch: () => void
}

export interface RunHost {
  readonly tools: Tools
  readonly groups: GroupFolders
  readonly wrappers: WrapperPool
  readonly pipes: PipeWatch
  /** Whether a process whose parent has gone is reaped here. */
  readonly reapsOrphans: () => Promise<boolean>
  /** Whether the shell becomes a task without leaving anything in its environment. */
  readonly isShellQuiet: () => Promise<boolean>
  readonly say: (text: string) => void
}

const START_WITHIN_MS = 30_000
const ORPHAN_LOOK_MS = 500
const KILLED = 128 + 9
const PIPE_BYTES_MAX = 4 * 1024 * 1024

export class Run {
  readonly folder: string
  readonly record: RunRecord
  readonly #host: RunHost
  readonly #outputs: Output[] = []
  readonly #waiting: ((exit: RunExit) => void)[] = []
  #lostBytes = 0
  #note: NotePipe | undefined
  #pids: RunPids | undefined
  #exit: RunExit | undefined
  #isLost = false
  #isKilled = false
  #orphanTimer: NodeJS.Timeout | undefined
  /** Its wrapper has gone before it told of a task. */
  #onNoTask = () => {}

  /** Starts a task. Resolves when its process is there. @throws RunError */
  static async start(folder: string, start: RunStart, host: RunHost): Promise<Run> {
    const { runId, taskId, logs, sandbox } = start
    const cgroup = host.groups.tree === undefined ? undefined : createCgroup(host.groups.tree, runId)
    const bounded = start.limits === undefined ? [] : bound(host.groups, runId, start.limits)
    const ownSandbox = sandbox === undefined ? {} : { sandbox: { hasOwnProcesses: sandbox.hasOwnProcesses } }
    const record: RunRecord = { runId, taskId, logs, bootId: readBootId(), cgroup: cgroup ?? null, bounded, ...ownSandbox }
    const groups = [...new Set([...(cgroup === undefined ? [] : [cgroup]), ...bounded])]
    const isShellQuiet = await host.isShellQuiet()
    const wrapper = await host.wrappers.take()
    try {
      writeFileSync(join(wrapper.folder, 'run.json'), toCheckedJson(record), { mode: 0o600 })
      if (sandbox === undefined) writeFileSync(join(wrapper.folder, 'command'), commandScript(start, host.tools, groups), { mode: 0o600 })
      else writeFileSync(join(wrapper.folder, 'sandbox'), sandboxScript(start, sandbox, host.tools, folder, groups), { mode: 0o600 })
      // All of a run is there at once, so that none is ever found half made.
      renameSync(wrapper.folder, folder)
    } catch (error) {
      sendSignal(wrapper.pid, 'SIGKILL')
      rmSync(wrapper.folder, { recursive: true, force: true })
      throw error
    }
    const run = new Run(folder, record, host)
    await run.#begin(wrapper.pid, startScript(start, host.tools, isShellQuiet))
    return run
  }

  /** A run of an earlier supervisor. Undefined: it never began. */
  static restore(folder: string, host: RunHost): Run | undefined {
    const record = readJson(join(folder, 'run.json'))
    if (record === undefined) return undefined
    if (!isRunRecord(record) || record.runId !== basename(folder)) {
      host.say(`${folder} holds what was written of no run, or of another: it is cleared away`)
      return undefined
    }
    const run = new Run(folder, record, host)
    return run.#restore() ? run : undefined
  }

  private constructor(folder: string, record: RunRecord, host: RunHost) {
    this.folder = folder
    this.record = record
    this.#host = host
  }

  get info(): RunInfo {
    const { runId, bootId } = this.record
    return { runId, bootId, pid: this.#pids?.pid ?? 0, startTime: this.#pids?.startTime ?? '', isLost: this.#isLost }
  }

  get isLive(): boolean {
    return this.#exit === undefined
  }

  wait(tell: (exit: RunExit) => void): void {
    if (this.#exit !== undefined) tell(this.#exit)
    else this.#waiting.push(tell)
  }

  signal(name: string): void {
    const pids = this.#pids
    if (pids === undefined || !this.isLive || !isSameProcess(pids.pid, pids.startTime)) return
    sendSignal(pids.pid, name as NodeJS.Signals)
  }

  place(): { readonly pid: number; readonly groups: readonly string[] } | undefined {
    const pids = this.#pids
    if (!this.isLive || pids === undefined || !isSameProcess(pids.pid, pids.startTime)) return undefined
    const { cgroup, bounded = [] } = this.record
    return { pid: pids.pid, groups: [...new Set([...(cgroup === null ? [] : [cgroup]), ...bounded])] }
  }

  kill(): void {
    if (this.isLive) this.#killAll()
  }

  pids(): readonly number[] {
    const pids = this.#pids
    if (pids === undefined || !this.isLive) return []
    const { cgroup } = this.record
    const found = cgroup === null ? [] : cgroupPids(cgroup)
    return found.length > 0 || pids.pid === 0 ? found : findSession(pids.pid)
  }

  /** Kills what is left of the run and removes its folder. */
  async destroy(): Promise<void> {
    this.#killAll()
    this.#endWrapper()
    this.#finish({ exitCode: -1, signal: 0, isOutOfMemory: false, error: 'destroyed' })
    // A wrapper whose task was killed just now may still be writing down how it ended.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 25 })
    const { cgroup, bounded = [] } = this.record
    for (const path of new Set([...(cgroup === null ? [] : [cgroup]), ...bounded])) {
      // Zombies keep a group until they are reaped.
      for (let tries = 0; tries < 20 && !removeCgroup(path); tries++) await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** @param wrapperPid of one that stands in this folder */
  async #begin(wrapperPid: number, script: string): Promise<void> {
    const started = this.#openPipes(wrapperPid)
    this.#writeStart(script)
    this.#tellWrapper()
    const pid = await started
    if (this.record.sandbox === undefined) return this.#writePids(wrapperPid, pid)
    // The shell inside tells the pid as it is there; as it is here, the kernel does.
    const insidePid = oldestChild(wrapperPid)
    this.#writePids(insidePid ?? wrapperPid, insidePid === undefined ? 0 : (oldestChild(insidePid) ?? 0))
    if (await this.#host.reapsOrphans()) sendSignal(wrapperPid, 'SIGKILL')
  }

  /** Before the wrapper is told to go on, so that nobody waits for words of a supervisor that has died. */
  #writeStart(script: string): void {
    const bytes = Buffer.from(script)
    const fd = openSync(join(this.folder, 'start'), constants.O_WRONLY | constants.O_NONBLOCK)
    const written = writeSync(fd, bytes)
    if (written === bytes.length) return closeSync(fd)
    // What the pipe does not hold at once follows as it is read.
    const socket = new Socket({ fd, readable: false, writable: true })
    // Whoever was to read it has ended, and that is told elsewhere.
    socket.on('error', () => socket.destroy())
    socket.end(bytes.subarray(written))
  }

  #writePids(wrapperPid: number, pid: number): void {
    // Either may have ended already; then nothing that bears its pid is it.
    const startTime = readProcess(pid)?.startTime ?? ''
    this.#pids = { wrapperPid, wrapperStartTime: readProcess(wrapperPid)?.startTime ?? '', pid, startTime }
    writeFileSync(join(this.folder, 'pids.json'), toCheckedJson(this.#pids), { mode: 0o600 })
  }

  /** Resolves with the task's pid. */
  #openPipes(wrapperPid: number): Promise<number> {
    const started = new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new RunError('START', `the task of ${this.folder} did not start`, true)), START_WITHIN_MS)
      const settle = (act: () => void) => {
        clearTimeout(timer)
        act()
      }
      const why = this.record.sandbox === undefined ? '' : ': its root could not be made, its stderr says why'
      this.#onNoTask = () => settle(() => reject(new RunError('START', `the task did not start${why}`, true)))
      this.#openNote((pid) => settle(() => resolve(pid)), wrapperPid)
    })
    this.#openOutput()
    return started
  }

  #openNote(onPid: (pid: number) => void, wrapperPid: number): void {
    this.#note = new NotePipe(join(this.folder, 'note'), this.#host.pipes, {
      onLine: (line) => {
        const [word, number] = line.split(' ')
        if (word === 'pid') onPid(Number(number))
        if (word === 'exit') this.#onExit(Number(number))
      },
      onEnd: () => this.#onWrapperGone(wrapperPid),
    })
    this.#note.expectWriter()
  }

  #openOutput(): void {
    const { folder, task, filesMax, fileBytesMax, isDisabled } = this.record.logs
    for (const [fifo, stream] of [
      ['out', 'stdout'],
      ['err', 'stderr'],
    ] as const) {
      const log = isDisabled ? undefined : new LogWriter(folder, `${task}.${stream}`, filesMax, fileBytesMax)
      const pipe = new OutputPipe(join(this.folder, fifo))
      const take = () => this.#take(pipe, log)
      this.#outputs.push({ pipe, log, take, unwatch: this.#host.pipes.add(pipe.fd, take) })
    }
  }

  /** @returns how much was taken out of the pipe */
  #take(pipe: OutputPipe, log: LogWriter | undefined): number {
    try {
      const taken = log === undefined ? pipe.discard() : log.take(pipe)
      if (this.#lostBytes > 0) this.#host.say(`${this.folder}: ${this.#lostBytes} bytes of output were lost`)
      this.#lostBytes = 0
      return taken
    } catch (error) {
      // A full disk must not stop the task; what cannot be kept is told of here, when it begins and when it is over.
      if (this.#lostBytes === 0) this.#host.say(`${this.folder}: output is lost: ${String(error)}`)
      const lost = pipe.discard()
      this.#lostBytes += lost
      return lost
    }
  }

  #restore(): boolean {
    if (this.record.bootId !== readBootId()) {
      this.#endUnseen('the host was restarted')
      return true
    }
    const written = readJson(join(this.folder, 'pids.json'))
    this.#pids = isRunPids(written) ? written : this.#findPids()
    const pids = this.#pids
    // Earlier versions left the environment there. Whoever has told of its pid has read it.
    if (pids !== undefined) rmSync(join(this.folder, 'command'), { force: true })
    const exit = this.#readExit()
    if (pids === undefined && exit === undefined) return false
    const hasWrapper = pids !== undefined && isSameProcess(pids.wrapperPid, pids.wrapperStartTime)
    const hasTask = pids !== undefined && isSameProcess(pids.pid, pids.startTime)
    if (hasWrapper || hasTask) this.#openOutput()
    if (exit !== undefined) this.#onExit(exit.exitCode)
    else if (hasWrapper) this.#openNote(() => {}, pids.wrapperPid)
    else if (hasTask) this.#watchOrphan()
    else this.#endUnseen('killed together with its wrapper')
    return true
  }

  /** It ended before this supervisor began. */
  #endUnseen(how: string): void {
    const exit = this.#readExit()
    this.#isLost = exit === undefined
    this.#finish(exit ?? unknownExit(how))
  }

  /** Started by a supervisor that died before it had written the pids down. */
  #findPids(): RunPids | undefined {
    const wrappers = findWrappers(dirname(this.folder)).filter(({ folder }) => folder === this.folder)
    // What made a sandbox may still stand above the shell in it.
    const parents = new Set(wrappers.map(({ pid }) => readProcess(pid)?.parent))
    const wrapperPid = wrappers.find(({ pid }) => !parents.has(pid))?.pid
    if (wrapperPid === undefined) return undefined
    const pid = this.record.sandbox === undefined ? readText(join(this.folder, 'pid')) : oldestChild(wrapperPid)
    if (pid === undefined) return undefined
    this.#writePids(wrapperPid, Number(pid))
    return this.#pids
  }

  #readExit(): RunExit | undefined {
    const text = readText(join(this.folder, 'exit'))
    // Without its line's end it was cut off in the middle of being written.
    return text?.endsWith('\n') === true && /^\d+\n$/.test(text) ? exitOf(Number(text)) : undefined
  }

  #onExit(code: number): void {
    if (!this.isLive) return
    this.#killLeftovers()
    this.#drain()
    this.#tellWrapper()
    const isOutOfMemory = code !== 0 && hasRunOutOfMemory(this.record.bounded ?? [])
    // In the words of the docker driver: a signal alone does not say it.
    this.#finish({ ...exitOf(code), isOutOfMemory, ...(isOutOfMemory ? { error: 'OOM Killed' } : {}) })
  }

  #onWrapperGone(wrapperPid: number): void {
    if (!this.isLive) return
    this.#onNoTask()
    const exit = this.#readExit()
    if (exit !== undefined) return this.#onExit(exit.exitCode)
    if (this.#isKilledInside()) return this.#onExit(KILLED)
    this.#host.say(`${this.folder}: wrapper ${wrapperPid} is gone`)
    this.#watchOrphan()
  }

  /** In a sandbox the shell that would tell of it ends with all the others. */
  #isKilledInside(): boolean {
    const { sandbox, bounded = [] } = this.record
    return sandbox !== undefined && (this.#isKilled || existsSync(join(this.folder, 'killed')) || hasRunOutOfMemory(bounded))
  }

  /** The task runs on without its wrapper: how it ends cannot be known, only that it has. */
  #watchOrphan(): void {
    const pids = this.#pids
    if (pids !== undefined && isSameProcess(pids.pid, pids.startTime)) {
      this.#orphanTimer = setTimeout(() => this.#watchOrphan(), ORPHAN_LOOK_MS)
      return
    }
    if (!this.isLive) return
    this.#killLeftovers()
    this.#drain()
    this.#finish(unknownExit('killed together with its wrapper'))
  }

  #finish(exit: RunExit): void {
    if (!this.isLive) return
    this.#exit = exit
    clearTimeout(this.#orphanTimer)
    this.#note?.close()
    for (const { pipe, log, unwatch } of this.#outputs) {
      unwatch()
      pipe.close()
      log?.close()
    }
    for (const tell of this.#waiting.splice(0)) tell(exit)
  }

  /** What is in the pipes now, to its end. */
  #drain(): void {
    for (const { take } of this.#outputs) {
      for (let total = 0, taken = take(); taken > 0 && total < PIPE_BYTES_MAX; taken = take()) total += taken
    }
  }

  /** It waits twice: for what it is to run, and until all of its output has been read. */
  #tellWrapper(): void {
    try {
      const fd = openSync(join(this.folder, 'release'), constants.O_WRONLY | constants.O_NONBLOCK)
      writeSync(fd, '\n')
      closeSync(fd)
    } catch {
      // There is no wrapper any more.
    }
  }

  /** What it would still write down nobody reads; and its pipes cannot be found where the folder was moved. */
  #endWrapper(): void {
    const pids = this.#pids
    if (pids !== undefined && isSameProcess(pids.wrapperPid, pids.wrapperStartTime)) sendSignal(pids.wrapperPid, 'SIGKILL')
  }

  #killAll(): void {
    const { cgroup, sandbox } = this.record
    if (sandbox !== undefined) this.#noteKilled()
    if (cgroup !== null && cgroupPids(cgroup).length > 0 && killCgroup(cgroup)) return
    const pids = this.#pids
    if (sandbox?.hasOwnProcesses === true) return this.#endWrapper()
    if (pids === undefined || pids.startTime === '') return
    if (isSameProcess(pids.pid, pids.startTime)) {
      const session = findSession(pids.pid)
      sendSignal(-pids.pid, 'SIGKILL')
      for (const pid of session) sendSignal(pid, 'SIGKILL')
    } else this.#killLeftovers()
  }

  /** For whoever finds later that all of it has gone. */
  #noteKilled(): void {
    this.#isKilled = true
    try {
      writeFileSync(join(this.folder, 'killed'), '', { mode: 0o600 })
    } catch (error) {
      this.#host.say(`${this.folder}: that it is killed could not be written down: ${String(error)}`)
    }
  }

  /** What the task started and left behind. Its session's number is not given away while any of those live. */
  #killLeftovers(): void {
    const { cgroup, sandbox } = this.record
    if (cgroup !== null && (cgroupPids(cgroup).length === 0 || killCgroup(cgroup))) return
    if (sandbox?.hasOwnProcesses === true) return this.#endWrapper()
    const pid = this.#pids?.pid ?? 0
    if (pid === 0 || existsSync(`/proc/${pid}`)) return
    sendSignal(-pid, 'SIGKILL')
  }
}

/** @throws RunError */
function bound(groups: GroupFolders, runId: string, limits: RunLimits): readonly string[] {
  try {
    return createBounded(groups, runId, limits)
  } catch (error) {
    throw new RunError('START', `the task could not be bounded: ${error instanceof Error ? error.message : String(error)}`, true)
  }
}

/** A shell reports a signal as 128 plus its number; a task that exits with such a code is read the same way. */
function exitOf(code: number): RunExit {
  return { exitCode: code, signal: code > 128 && code <= 128 + 64 ? code - 128 : 0, isOutOfMemory: false }
}

function unknownExit(error: string): RunExit {
  return { exitCode: -1, signal: 0, isOutOfMemory: false, error }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function isRunRecord(value: unknown): value is RunRecord {
  if (typeof value !== 'object' || value === null) return false
  const { runId, logs, bootId, cgroup, bounded = [] } = value as Partial<RunRecord>
  const hasLogs = typeof logs?.folder === 'string' && typeof logs.task === 'string'
  return typeof runId === 'string' && hasLogs && typeof bootId === 'string' && cgroup !== undefined && Array.isArray(bounded)
}

function isRunPids(value: unknown): value is RunPids {
  if (typeof value !== 'object' || value === null) return false
  const { wrapperPid, wrapperStartTime, pid, startTime } = value as Partial<RunPids>
  return [wrapperPid, pid].every(Number.isInteger) && typeof wrapperStartTime === 'string' && typeof startTime === 'string'
}

/** Undefined: it is not there, or is not what was written. */
function readJson(path: string): unknown {
  const text = readText(path)
  if (text === undefined) return undefined
  try {
    return fromCheckedJson(text)
  } catch {
    // Cut off while it was written: as if it had not been.
    return undefined
  }
}
