/** The trailers of commits, as git itself finds them: its rule for what is a trailer and what is prose is not written a second time. */
import type { Commit } from '../../domain/index.js'
import { runGit } from './git-command.js'

const FORMAT = '--format=%(trailers:only,unfold,key_value_separator=%x09)%x00'
/** What git prints before each commit of `rev-list --format`. */
const HEAD_LINE = /^commit ([0-9a-f]+)\n/
const IS_OURS = /^drover-/i

/** Whether a message could have a trailer for Drover: asking git costs a process, and most commits have none. */
export function mayHaveTrailers(message: string): boolean {
  return /^drover-/im.test(message)
}

/**
 * `Drover-*` trailers by commit id, in order of appearance, continued lines joined. Source: git's documentation, "git interpret-trailers"
 * and "pretty formats", `%(trailers)`.
 */
export async function readTrailers(repository: string, ids: readonly string[]): Promise<ReadonlyMap<string, Commit['trailers']>> {
  if (ids.length === 0) return new Map()
  const words = ['-c', 'trailer.separators=:', 'rev-list', '--no-walk=unsorted', '--encoding=UTF-8', FORMAT, ...ids, '--']
  const { stdout } = await runGit(repository, words)
  return new Map(
    stdout.split('\0\n').flatMap((part): [string, Commit['trailers']][] => {
      const id = HEAD_LINE.exec(part)?.[1]
      return id === undefined ? [] : [[id, parseTrailerLines(part.replace(HEAD_LINE, ''))]]
    }),
  )
}

function parseTrailerLines(text: string): Commit['trailers'] {
  return text.split('\n').flatMap((line) => {
    const [key = '', value = ''] = line.split('\t', 2)
    return IS_OURS.test(key) ? [{ key: key.trim(), value: value.trim() }] : []
  })
}
