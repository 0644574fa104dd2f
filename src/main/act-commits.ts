/** Commits that ask for an act, made by the person's own git: their name, their key, their hooks. */
import { execFile } from 'node:child_process'
import { readFile, realpath } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { promisify } from 'node:util'
import { CommandError } from '../cli/command.js'
import type { ActCommits } from '../cli/trailer-act.js'

const run = promisify(execFile)

export class LocalActCommits implements ActCommits {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async read(file: string): Promise<Uint8Array> {
    try {
      return await readFile(resolve(this.#folder, file))
    } catch (error) {
      throw new CommandError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`)
    }
  }

  async pathOf(file: string): Promise<string> {
    const top = await this.#top()
    const path = resolve(this.#folder, file)
    // The folder may be a link into the repository; the file itself is committed as what it is.
    const below = relative(top, join(await realpath(dirname(path)), path.slice(dirname(path).length)))
    if (below === '' || below.startsWith('..') || isAbsolute(below)) {
      throw new CommandError(`${file} does not lie in the repository ${top}; copy it there, since the commit has to hold it`)
    }
    return below.split(sep).join('/')
  }

  async knows(commitId: string): Promise<boolean> {
    return run('git', ['-C', this.#folder, 'cat-file', '-e', `${commitId}^{commit}`]).then(
      () => true,
      () => false,
    )
  }

  async commit(message: string, files: readonly string[]): Promise<string> {
    const top = await this.#top()
    const paths = files.map((file) => `:(top,literal)${file}`)
    if (paths.length > 0) await git(top, ['add', '--', ...paths])
    await git(top, ['commit', '--quiet', '--allow-empty', '--only', '--message', message, '--', ...paths])
    return (await git(top, ['rev-parse', 'HEAD'])).trim()
  }

  async #top(): Promise<string> {
    return (await git(this.#folder, ['rev-parse', '--show-toplevel'])).trimEnd()
  }
}

async function git(folder: string, words: readonly string[]): Promise<string> {
  try {
    return (await run('git', ['-C', folder, ...words])).stdout
  } catch (error) {
    const { stderr, message } = error as { readonly stderr?: string; readonly message: string }
    throw new CommandError(`nothing was committed: ${stderr?.trim() || message}`)
  }
}
