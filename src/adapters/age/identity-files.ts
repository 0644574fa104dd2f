/** Files of age's secret keys, as `age-keygen` and `drover secret keygen` write them: one a line, `#` begins a comment. */
import { readFileSync, statSync } from 'node:fs'

export interface Identities {
  readonly keys: readonly string[]
  /** Why a file was left out, in a sentence without its content. */
  readonly problems: readonly string[]
}

const SECRET_KEY = /^AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+$/

/** Read anew each time, so that keys can be changed without a restart. */
export function readIdentities(paths: readonly string[]): Identities {
  const keys: string[] = []
  const problems: string[] = []
  for (const path of paths) {
    const reading = readIdentityFile(path)
    if ('problem' in reading) problems.push(reading.problem)
    else keys.push(...reading.keys)
  }
  return { keys, problems }
}

function readIdentityFile(path: string): { readonly keys: readonly string[] } | { readonly problem: string } {
  try {
    if ((statSync(path).mode & 0o077) !== 0) return { problem: `the key file ${path} may be read by others: chmod 600 ${path}` }
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.trim())
    const keys = lines.filter((line) => line !== '' && !line.startsWith('#'))
    const wrongAt = lines.findIndex((line) => keys.includes(line) && !SECRET_KEY.test(line))
    if (wrongAt >= 0) return { problem: `line ${wrongAt + 1} of the key file ${path} is no secret key of age's` }
    return keys.length === 0 ? { problem: `the key file ${path} has no key` } : { keys }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return {
      problem: code === 'ENOENT' ? `the key file ${path} is not there` : `the key file ${path} cannot be read (${code ?? 'unknown'})`,
    }
  }
}
