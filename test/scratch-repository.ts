/** A real repository in a temporary folder, for tests of what a server makes of commits. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Text of a file; `link` to something else; null removes it. */
export type FileChange = string | { readonly link: string } | null

export class ScratchRepository {
  readonly folder = mkdtempSync(join(tmpdir(), 'drover-repository-'))

  constructor() {
    this.git('init', '-q', '-b', 'main')
  }

  git(...words: readonly string[]): string {
    const identity = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.org']
    return execFileSync('git', ['-C', this.folder, ...identity, ...words], { encoding: 'utf8', stdio: 'pipe' }).trim()
  }

  /** @returns the id of the new commit */
  commit(changes: Readonly<Record<string, FileChange>>, message = 'change'): string {
    for (const [path, change] of Object.entries(changes)) this.#write(join(this.folder, path), change)
    this.git('add', '-A')
    this.git('commit', '-q', '--allow-empty', '-m', message)
    return this.git('rev-parse', 'HEAD')
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #write(path: string, change: FileChange): void {
    rmSync(path, { recursive: true, force: true })
    if (change === null) return
    mkdirSync(dirname(path), { recursive: true })
    if (typeof change === 'string') writeFileSync(path, change)
    else symlinkSync(change.link, path)
  }
}
