/** One run of a script on virtual time: what a shell and the programs that it starts would do, to files of the virtual disk. */
import { posix } from 'node:path'
import type { TaskExit } from '../../../src/agent/index.js'
import type { VirtualDisk } from './disk.js'
import { type List, NeedsProcesses, parseScript, type Redirect, type ScriptCommand, type SimpleCommand, type Word } from './script.js'

export interface ScriptDeps {
  readonly script: List
  readonly environment: Readonly<Record<string, string>>
  readonly folder: string
  /** Of the streams; what is never written has no file. */
  readonly logs: { readonly stdout: string; readonly stderr: string }
  readonly disk: VirtualDisk
  readonly after: (delayMs: number, run: () => void) => () => void
  /** It does what is not simulated. */
  readonly onTrouble: (error: unknown) => void
}

const SIGNALS: Readonly<Record<string, number>> = { HUP: 1, INT: 2, QUIT: 3, KILL: 9, USR1: 10, USR2: 12, TERM: 15 }
/** Until a program has been started and has done what takes no time. */
const COMMAND_MS = 1
/** As shells have it: a program that is not there, and a file that cannot be read. */
const FAILED = 1

class Exit {
  readonly code: number

  constructor(code: number) {
    this.code = code
  }
}

export class ScriptRun {
  exit: TaskExit | undefined
  readonly #deps: ScriptDeps
  readonly #variables: Record<string, string>
  /** Signal → what is done then; empty: nothing. */
  #traps = new Map<string, string>()
  readonly #pending: string[] = []
  readonly #waiting: ((exit: TaskExit) => void)[] = []
  #lastCode = 0

  constructor(deps: ScriptDeps) {
    this.#deps = deps
    this.#variables = { ...deps.environment }
    this.#tell(deps.script).then(
      () => this.#end(this.#lastCode, 0),
      (error: unknown) => {
        if (error instanceof Exit) this.#end(error.code, 0)
        else deps.onTrouble(error)
      },
    )
  }

  wait(): Promise<TaskExit> {
    return this.exit === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(this.exit)
  }

  /** @param name as in `SIGINT` */
  signal(name: string): void {
    const bare = name.replace(/^SIG/, '')
    const handler = bare === 'KILL' ? undefined : this.#traps.get(bare)
    if (handler === undefined) {
      const number = SIGNALS[bare] ?? SIGNALS.INT!
      this.#end(128 + number, number)
    } else if (handler !== '') this.#pending.push(handler)
  }

  #end(exitCode: number, signal: number): void {
    if (this.exit !== undefined) return
    this.exit = { exitCode, signal, isOutOfMemory: false }
    for (const resolve of this.#waiting.splice(0)) resolve(this.exit)
  }

  async #tell(list: List): Promise<void> {
    for (const { after, isNegated, command } of list) {
      if ((after === '&&' && this.#lastCode !== 0) || (after === '||' && this.#lastCode === 0)) continue
      await this.#run(command)
      if (isNegated) this.#lastCode = this.#lastCode === 0 ? 1 : 0
    }
  }

  async #run(command: ScriptCommand): Promise<void> {
    if (command.kind === 'simple') return this.#runSimple(command)
    if (command.kind === 'if') return this.#runBranches(command)
    for (;;) {
      await this.#tell(command.condition)
      if ((this.#lastCode === 0) === command.isUntil) break
      await this.#tell(command.body)
    }
    this.#lastCode = 0
  }

  async #runBranches({ branches, otherwise }: Extract<ScriptCommand, { kind: 'if' }>): Promise<void> {
    for (const { condition, body } of branches) {
      await this.#tell(condition)
      if (this.#lastCode === 0) return this.#tell(body)
    }
    this.#lastCode = 0
    await this.#tell(otherwise)
  }

  async #runSimple({ assignments, words, redirects }: SimpleCommand): Promise<void> {
    for (const [name, value] of assignments) this.#variables[name] = this.#text(value)
    const given = words.flatMap((word) => this.#expand(word))
    const isExec = given[0] === 'exec'
    if (isExec) given.shift()
    // A program knows nothing of what its shell does at a signal, except what it lets pass.
    if (isExec && given.length > 0) this.#traps = new Map([...this.#traps].filter(([, handler]) => handler === ''))
    await this.#pause(COMMAND_MS)
    const [name, ...rest] = given
    this.#lastCode = name === undefined ? 0 : await this.#call(name, rest, this.#streams(redirects))
    if (isExec && name !== undefined) throw new Exit(this.#lastCode)
    await this.#heed()
  }

  /** What is to be done at the signals that came meanwhile. */
  async #heed(): Promise<void> {
    for (let handler = this.#pending.shift(); handler !== undefined; handler = this.#pending.shift()) {
      const code = this.#lastCode
      await this.#tell(parseScript(handler))
      this.#lastCode = code
    }
  }

  async #call(name: string, words: readonly string[], streams: Streams): Promise<number> {
    const { disk } = this.#deps
    switch (name) {
      case 'sleep':
        await this.#pause(1000 * Number(words[0]))
        return 0
      case 'exit':
        throw new Exit(words[0] === undefined ? this.#lastCode : Number(words[0]))
      case 'trap':
        for (const signal of words.slice(1)) this.#traps.set(signal.replace(/^SIG/, ''), words[0]!)
        return 0
      case 'echo':
        streams.out(`${words.join(' ')}\n`)
        return 0
      case 'cat':
        return this.#cat(words, streams)
      case 'touch':
        for (const path of words) disk.append(this.#path(path), '')
        return 0
      case 'rm':
        for (const path of words.filter((word) => !word.startsWith('-'))) disk.remove(this.#path(path))
        return 0
      case 'mkdir':
        for (const path of words.filter((word) => !word.startsWith('-'))) disk.makeFolder(this.#path(path))
        return 0
      case 'kill':
        return this.#kill(words)
      case 'test':
      case '[':
        return this.#test(name === '[' ? words.slice(0, -1) : words) ? 0 : 1
      case 'false':
        return 1
      default:
        return 0
    }
  }

  #cat(words: readonly string[], streams: Streams): number {
    if (words.length === 0) streams.out(streams.input)
    let code = 0
    for (const path of words) {
      const text = this.#deps.disk.read(this.#path(path))
      if (text === undefined) code = FAILED
      if (text === undefined) streams.err(`cat: ${path}: No such file or directory\n`)
      else streams.out(text)
    }
    return code
  }

  /** Of itself only: it knows of no other process. */
  #kill(words: readonly string[]): number {
    const [how = '', who] = words.length === 1 ? ['-TERM', words[0]] : words
    if (who !== OWN_PID) throw new NeedsProcesses('it kills other processes')
    const wanted = how.replace(/^-(SIG)?/, '')
    this.signal(Object.keys(SIGNALS).find((name) => name === wanted || String(SIGNALS[name]) === wanted) ?? 'TERM')
    return 0
  }

  #test(words: readonly string[]): boolean {
    const { disk } = this.#deps
    if (words[0] === '!') return !this.#test(words.slice(1))
    if (words.length === 3) return compared(words[0]!, words[1]!, words[2]!)
    if (words.length === 1) return words[0] !== ''
    const [how, what = ''] = words
    switch (how) {
      case '-e':
        return disk.exists(this.#path(what))
      case '-f':
        return disk.read(this.#path(what)) !== undefined
      case '-d':
        return disk.isFolder(this.#path(what))
      case '-s':
        return (disk.read(this.#path(what)) ?? '') !== ''
      case '-n':
        return what !== ''
      case '-z':
        return what === ''
      default:
        throw new NeedsProcesses(`it tests ${words.join(' ')}`)
    }
  }

  #streams(redirects: readonly Redirect[]): Streams {
    const { disk, logs } = this.#deps
    const to = (path: string) => (text: string) => disk.append(path, text)
    const streams: Streams = { input: '', out: to(logs.stdout), err: to(logs.stderr) }
    for (const { stream, how, target } of redirects) {
      const name = this.#text(target)
      const path = this.#path(name)
      if (how === 'read') streams.input = disk.read(path) ?? ''
      else if (how === 'same-as') streams[stream === 'stdout' ? 'out' : 'err'] = name === '1' ? streams.out : streams.err
      else {
        if (how === 'write') disk.write(path, '')
        streams[stream === 'stderr' ? 'err' : 'out'] = name === '/dev/null' ? () => {} : to(path)
      }
    }
    return streams
  }

  /** A word without quotes is as many as there are between the spaces of its variables. */
  #expand(word: Word): readonly string[] {
    const isBare = word.every((part) => !part.isQuoted) && word.some((part) => part.kind === 'variable')
    const text = this.#text(word)
    return isBare ? text.split(/\s+/).filter((piece) => piece !== '') : [text]
  }

  #text(word: Word): string {
    return word.map((part) => (part.kind === 'text' ? part.text : this.#valueOf(part.name))).join('')
  }

  #valueOf(name: string): string {
    if (name === '?') return String(this.#lastCode)
    if (name === '$') return OWN_PID
    return this.#variables[name] ?? ''
  }

  #path(path: string): string {
    return posix.resolve(this.#deps.folder, path)
  }

  /** Never over once the run has ended. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#deps.after(ms, () => this.exit === undefined && resolve())
    })
  }
}

interface Streams {
  input: string
  out: (text: string) => void
  err: (text: string) => void
}

const OWN_PID = '4711'

function compared(left: string, how: string, right: string): boolean {
  switch (how) {
    case '=':
      return left === right
    case '!=':
      return left !== right
    case '-eq':
      return Number(left) === Number(right)
    case '-ne':
      return Number(left) !== Number(right)
    case '-lt':
      return Number(left) < Number(right)
    case '-le':
      return Number(left) <= Number(right)
    case '-gt':
      return Number(left) > Number(right)
    case '-ge':
      return Number(left) >= Number(right)
    default:
      throw new NeedsProcesses(`it tests ${left} ${how} ${right}`)
  }
}
