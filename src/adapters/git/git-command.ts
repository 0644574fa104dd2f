/** How git is started: of one repository, without questions, and with nothing of it decided by this process's environment. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024

/**
 * The environment of every git process. `GIT_DIR`, `GIT_INDEX_FILE` and the like, as a hook or a CI job sets them, win over `-C` and
 * would have another repository read than the configured one. An object is what its id says: refs that put another in its place do not count. Source: git's documentation, "git", ENVIRONMENT VARIABLES.
 */
export function gitEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))
  return { ...Object.fromEntries(inherited), GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', GIT_NO_REPLACE_OBJECTS: '1', LC_ALL: 'C' }
}

/** Options that keep git from asking, from guessing and from refusing a repository of another owner. */
export function gitArguments(repository: string): readonly string[] {
  return ['-c', 'core.quotepath=off', '-c', 'safe.directory=*', '-C', repository]
}

/** Rejects as `execFile` does, with the exit code in `code`. */
export function runGit(
  repository: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const env = { ...gitEnvironment(), ...environment }
  return run('git', [...gitArguments(repository), ...words], { env, maxBuffer: OUTPUT_BYTES_MAX })
}
