/**
 * A shell that is kept, for commands that are called often: the kernel copies what it knows of a process's memory for each one that the
 * process starts, during which nothing else of it goes on. Starting them from a small process costs a tenth of that.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { quote } from './supervisor/wrapper.js'

export interface Outcome {
  readonly exitCode: number
  /** Of both streams. */
  readonly output: string
}

type Call = { readonly line: string; readonly resolve: (outcome: Outcome) => void; readonly reject: (error: Error) => void }

export class KeptShell {
  readonly #marker = randomUUID()
  readonly #calls: Call[] = []
  #shell: ChildProcess | undefined
  #output = ''

  /** One after the other, in the order of the calls. Rejects when the shell cannot be started or is killed. */
  run(words: readonly string[]): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const line = `${words.map(quote).join(' ')} </dev/null 2>&1; printf '\\n${this.#marker} %d\\n' $?\n`
      this.#calls.push({ line, resolve, reject })
      this.#shell ??= this.#start()
      hold(this.#shell, true)
      this.#shell.stdin!.write(line)
    })
  }

  /** Lets it end once it has carried out what was asked. */
  close(): void {
    this.#shell?.stdin?.end()
    this.#shell = undefined
  }

  #start(): ChildProcess {
    const shell = spawn('/bin/sh', ['-s'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    })
    shell.stdout!.setEncoding('utf8').on('data', (text: string) => this.#onOutput(shell, text))
    shell.stdin!.on('error', () => {})
    shell.once('error', (error) => this.#onGone(shell, error))
    shell.once('close', () => this.#onGone(shell, new Error('the shell ended')))
    return shell
  }

  #onOutput(shell: ChildProcess, text: string): void {
    this.#output += text
    for (;;) {
      const end = new RegExp(`\\n${this.#marker} (\\d+)\\n`).exec(this.#output)
      if (end === null) return
      const output = this.#output.slice(0, end.index)
      this.#output = this.#output.slice(end.index + end[0].length)
      this.#calls.shift()?.resolve({ exitCode: Number(end[1]), output })
      if (this.#calls.length === 0) hold(shell, false)
    }
  }

  #onGone(shell: ChildProcess, error: Error): void {
    if (this.#shell === shell) this.#shell = undefined
    this.#output = ''
    for (const { reject } of this.#calls.splice(0)) reject(error)
  }
}

/** A shell that has nothing to do keeps nobody from ending. */
function hold(shell: ChildProcess, isHeld: boolean): void {
  for (const handle of [shell, shell.stdin as Socket, shell.stdout as Socket]) isHeld ? handle.ref() : handle.unref()
}
