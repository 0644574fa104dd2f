/**
 * What git would keep of a file of the work tree whose lines end in CRLF: with `text`, `eol` or `core.autocrlf` a commit holds LF, so
 * that reading the bytes on disk would show changes that no commit makes. Filters are not run: they are programs that a repository's
 * configuration names. Source: git's documentation, "gitattributes" (End-of-line conversion) and "git-ls-files" (--eol).
 */
import { runGit } from './git-command.js'

const CR = 0x0d
const LF = 0x0a

export function hasCrLf(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('\r\n')
}

export function withoutCr(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, at) => byte !== CR || bytes[at + 1] !== LF)
}

/** Which of these files lose their CRs in a commit. Paths from the root of the repository. */
export async function findConverted(root: string, paths: readonly string[]): Promise<ReadonlySet<string>> {
  if (paths.length === 0) return new Set()
  const isAutomatic = await convertsByConfiguration(root)
  const words = ['--literal-pathspecs', 'ls-files', '--eol', '-z', '--cached', '--others', '--deduplicate', '--', ...paths]
  const { stdout } = await runGit(root, words)
  const converted = stdout.split('\0').flatMap((line) => {
    const [facts = '', path] = line.split('\t')
    return path !== undefined && isConverted(facts, isAutomatic) ? [path] : []
  })
  return new Set(converted)
}

async function convertsByConfiguration(root: string): Promise<boolean> {
  const { stdout } = await runGit(root, ['config', '--default', 'false', '--get', 'core.autocrlf'])
  return ['true', 'input', 'yes', 'on', '1'].includes(stdout.trim().toLowerCase())
}

/** @param facts `i/<what the index holds> w/<what the work tree holds> attr/<what the attributes say>` */
function isConverted(facts: string, isAutomatic: boolean): boolean {
  const [, index = '', attributes = ''] = /^i\/(\S*)\s+w\/\S*\s+attr\/(.*)$/.exec(facts) ?? []
  const words = attributes.trim().split(' ')
  if (words.includes('-text')) return false
  if (words.includes('text')) return true
  // Where git guesses, a file that was committed with CRs keeps them.
  const isGuessed = words.some((word) => word.startsWith('text=auto')) || isAutomatic
  return isGuessed && index !== 'crlf' && index !== 'mixed' && index !== '-text'
}
