/** Folders for runs to come, each with the pipes of one. One program makes the pipes of several: starting it costs more than they do. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { RunError } from './protocol.js'
import type { Tools } from './tools.js'

const PIPES = ['out', 'err', 'note', 'release', 'start']
const AT_ONCE = 8

export class RunFolders {
  readonly #parent: string
  readonly #tools: Tools
  readonly #made: string[] = []
  #making: Promise<void> | undefined

  constructor(parent: string, tools: Tools) {
    this.#parent = parent
    this.#tools = tools
  }

  /** Nobody else gets it. @throws RunError START; as `fs` does where the disk takes nothing */
  async take(): Promise<string> {
    while (this.#made.length === 0) {
      this.#making ??= this.#make().finally(() => {
        this.#making = undefined
      })
      await this.#making
    }
    return this.#made.shift()!
  }

  async #make(): Promise<void> {
    const folders = Array.from({ length: AT_ONCE }, () => join(this.#parent, randomUUID()))
    try {
      // Never what is above it: whoever took the supervisor's own folder away is not to find it there again.
      if (!existsSync(this.#parent)) mkdirSync(this.#parent, { mode: 0o700 })
      for (const folder of folders) mkdirSync(folder, { mode: 0o700 })
      await this.#run(['-m', '600', ...folders.flatMap((folder) => PIPES.map((pipe) => join(folder, pipe)))])
    } catch (error) {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true })
      throw error
    }
    this.#made.push(...folders)
  }

  #run(words: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      let complaint = ''
      const program = spawn(this.#tools.mkfifo, words, { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/', env: { LC_ALL: 'C' } })
      program.stderr.setEncoding('utf8').on('data', (text: string) => {
        complaint += text
      })
      const fail = (why: string) => reject(new RunError('START', `the pipes of a task could not be made: ${why}`, true))
      program.once('error', (error) => fail(error.message))
      program.once('close', (code) => (code === 0 ? resolve() : fail(complaint.trim())))
    })
  }
}
