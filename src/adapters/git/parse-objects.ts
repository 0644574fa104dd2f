/** Git's own encodings of commits and trees. */
import type { TreeEntry } from '../../controller/index.js'
import type { Commit } from '../../domain/index.js'

/** A commit object. What its trailers are, only git says: see `commit-trailers.ts`. */
export interface ParsedCommit {
  readonly commit: Omit<Commit, 'trailers'>
  readonly message: string
  readonly tree: string
  readonly parents: readonly string[]
}

const IDENTITY = /^(.*) <(.*)> (\d+) ([+-]\d{4})$/

export function parseCommit(id: string, content: Buffer): ParsedCommit {
  const text = decodeCommit(content)
  const headEnd = text.indexOf('\n\n')
  const head = headEnd < 0 ? text : text.slice(0, headEnd)
  const message = headEnd < 0 ? '' : text.slice(headEnd + 2)
  const lines = head.split('\n')
  const valuesOf = (key: string) => lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1))
  const [, author = '', authorEmail = '', seconds = '0'] = IDENTITY.exec(valuesOf('author')[0] ?? '') ?? []
  return {
    commit: { id, author, authorEmail, atMs: Number(seconds) * 1000, subject: message.split('\n', 1)[0] ?? '' },
    message,
    tree: valuesOf('tree')[0] ?? '',
    parents: valuesOf('parent'),
  }
}

/** A commit says in its head in which encoding it is written; without a word, or in one that is not known here, it is UTF-8. */
function decodeCommit(content: Buffer): string {
  const text = content.toString('utf8')
  const encoding = /^(?:.+\n)*?encoding (.+)\n/.exec(text.slice(0, text.indexOf('\n\n') + 1))?.[1]
  if (encoding === undefined) return text
  try {
    return new TextDecoder(encoding).decode(content)
  } catch {
    return text
  }
}

/** A file's entry, or a folder's, whose `blob` is the id of its tree. */
export type TreeItem = Pick<TreeEntry, 'path' | 'blob'> & { readonly mode: TreeEntry['mode'] | 'tree' }

/** A folder as it was read, with the bytes of each item, so that reading its next version makes anew only what has changed. */
export interface ParsedTree {
  readonly id: string
  readonly items: readonly TreeItem[]
  readonly content: Buffer
  /** Where each item begins; last, where all end. */
  readonly offsets: readonly number[]
}

const MODES: Readonly<Record<string, TreeItem['mode']>> = {
  '40000': 'tree',
  '100644': 'file',
  '100664': 'file',
  '100755': 'executable',
  '120000': 'symlink',
  '160000': 'gitlink',
}

/**
 * @param prefix of the paths in it: '' or ends in a slash
 * @param before an older version of the same folder, whose unchanged items are taken over as they are
 */
export function parseTree(id: string, content: Buffer, prefix: string, before: ParsedTree | undefined): ParsedTree {
  const idBytes = id.length / 2
  const known = before?.items ?? []
  const items: TreeItem[] = []
  const offsets: number[] = [0]
  /** How many bytes the old item `old` had, if just these stand at `at` too; else 0. */
  const matchAt = (old: number, at: number) => {
    if (before === undefined || old >= known.length) return 0
    const [start, end] = [before.offsets[old]!, before.offsets[old + 1]!]
    return content.subarray(at, at + end - start).equals(before.content.subarray(start, end)) ? end - start : 0
  }
  let old = 0
  for (let at = 0; at < content.length; offsets.push(at)) {
    let length = matchAt(old, at)
    if (length === 0) {
      const space = content.indexOf(0x20, at)
      const end = content.indexOf(0x00, space)
      const path = prefix + content.toString('utf8', space + 1, end)
      while (old < known.length && known[old]!.path < path) old++
      length = matchAt(old, at)
      if (length === 0) {
        // A mode that git does not write is read as a link: nothing that Drover would follow.
        const mode = MODES[content.toString('latin1', at, space)] ?? 'symlink'
        items.push({ path, blob: content.toString('hex', end + 1, end + 1 + idBytes), mode })
        at = end + 1 + idBytes
        continue
      }
    }
    items.push(known[old++]!)
    at += length
  }
  return { id, items, content, offsets }
}
