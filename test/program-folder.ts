/** Where programs of one cluster are set up: their configuration files, what they say, and what they keep lie in one folder. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { Program } from './real-program.js'

const CLI = resolve('dist/main/cli.js')

export class ProgramFolder {
  readonly path: string
  readonly #onEnd: (how: string) => void
  readonly #before: readonly string[]

  /**
   * @param onEnd a program ended, and nobody had asked for that
   * @param before what Drover's programs are started with, as `/usr/bin/env -i`
   */
  constructor(path: string, onEnd: (how: string) => void, before: readonly string[] = []) {
    this.path = path
    this.#onEnd = onEnd
    this.#before = before
  }

  drover(command: 'server' | 'agent', config: object, name: string = command): Program {
    const path = join(this.path, `${name}.yaml`)
    writeFileSync(path, stringify(config))
    return this.program(name, [...this.#before, process.execPath, CLI, command, '--config', path])
  }

  program(name: string, words: readonly string[]): Program {
    return new Program(name, words, join(this.path, `${name}.out`), this.#onEnd)
  }

  /** For what a program keeps. */
  newFolder(name: string): string {
    const folder = join(this.path, name)
    mkdirSync(folder, { mode: 0o700 })
    return folder
  }
}
