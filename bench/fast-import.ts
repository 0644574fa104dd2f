/** Commits of many files without a working tree, in milliseconds each: `git fast-import` on a repository of a benchmark. */
import { type ChildProcess, spawn } from 'node:child_process'

export class FastImport {
  readonly #git: ChildProcess
  #commits = 0

  /** @param folder of a repository whose branch `main` has a commit */
  constructor(folder: string) {
    this.#git = spawn('git', ['-C', folder, 'fast-import', '--quiet', '--force', '--date-format=now'], {
      stdio: ['pipe', 'ignore', 'inherit'],
    })
  }

  /** Adds the files to what there is. The ref moves as soon as git has read it. */
  commit(files: Readonly<Record<string, string>>): void {
    const parts = ['commit refs/heads/main', 'committer Ann <ann@example.org> now', data(`commit ${this.#commits}`)]
    if (this.#commits === 0) parts.push('from refs/heads/main^0')
    for (const [path, text] of Object.entries(files)) parts.push(`M 100644 inline ${path}`, data(text))
    this.#git.stdin!.write(`${parts.join('\n')}\n\ncheckpoint\n\n`)
    this.#commits++
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#git.once('exit', resolve))
    this.#git.stdin!.end('done\n')
    await ended
  }
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`
}
