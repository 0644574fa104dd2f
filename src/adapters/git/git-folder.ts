/** Where a repository's git folder is, and whether it still is the one that was looked at before. */
import { existsSync, readFileSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { OrchestratorError } from '../../domain/index.js'
import { runGit } from './git-command.js'

/** @throws OrchestratorError GIT_NO_REPOSITORY, GIT_MISSING */
export async function findGitFolder(repository: string): Promise<string> {
  if (statOf(repository)?.isDirectory() !== true) {
    throw new OrchestratorError('GIT_NO_REPOSITORY', `${repository} is not a folder; name a git repository with --repo`, { repository })
  }
  try {
    const { stdout } = await runGit(repository, ['rev-parse', '--absolute-git-dir', '--show-prefix'])
    const [gitFolder = '', prefix = ''] = stdout.split('\n')
    if (prefix === '') return gitFolder
    const remedy = 'name its top folder with --repo'
    throw new OrchestratorError('GIT_NO_REPOSITORY', `${repository} is the folder ${prefix} inside a repository; ${remedy}`, { repository })
  } catch (cause) {
    if (cause instanceof OrchestratorError) throw cause
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
      throw new OrchestratorError('GIT_MISSING', 'git could not be started; install git', {}, cause)
    throw new OrchestratorError(
      'GIT_NO_REPOSITORY',
      `${repository} is not a git repository; run git init there, or name another with --repo`,
      { repository },
    )
  }
}

/**
 * Tells one repository at a path from another that took its place: a new clone, or a symbolic link that was turned over. A running
 * `git cat-file` keeps reading the folder it was started in, whatever its path means by now.
 */
export function identityOf(repository: string, gitFolder: string): string {
  const places = [repository, join(repository, '.git'), gitFolder, join(gitFolder, 'objects')]
  return places.map((place) => inodeOf(statOf(place))).join(' ')
}

function inodeOf(found: Stats | undefined): string {
  return found === undefined ? '-' : `${found.dev}:${found.ino}`
}

/** Where refs and objects are: in a linked work tree they are those of the main repository, and only HEAD is its own. */
export function commonFolderOf(gitFolder: string): string {
  const file = join(gitFolder, 'commondir')
  return existsSync(file) ? join(gitFolder, readFileSync(file, 'utf8').trim()) : gitFolder
}

/** The ref that HEAD names; undefined when it is detached or missing. */
export function headRefOf(gitFolder: string): string | undefined {
  const path = join(gitFolder, 'HEAD')
  return existsSync(path) ? /^ref: (.+)$/m.exec(readFileSync(path, 'utf8'))?.[1]?.trim() : undefined
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}
