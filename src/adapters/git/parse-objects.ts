/** Git's own encodings of commits and trees. */
import type { TreeEntry } from '../../controller/index.js'
import type { Commit } from '../../domain/index.js'

export interface ParsedCommit {
  readonly commit: Commit
  readonly tree: string
  readonly parents: readonly string[]
}

const IDENTITY = /^(.*) <(.*)> (\d+) ([+-]\d{4})$/
const TRAILER = /^([A-Za-z][A-Za-z0-9-]*): ?(.*)$/

export function parseCommit(id: string, content: Buffer): ParsedCommit {
  const text = content.toString('utf8')
  const headEnd = text.indexOf('\n\n')
  const head = headEnd < 0 ? text : text.slice(0, headEnd)
  const message = headEnd < 0 ? '' : text.slice(headEnd + 2)
  const lines = head.split('\n')
  const valuesOf = (key: string) => lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1))
  const [, author = '', authorEmail = '', seconds = '0'] = IDENTITY.exec(valuesOf('author')[0] ?? '') ?? []
  return {
    commit: {
      id,
      author,
      authorEmail,
      atMs: Number(seconds) * 1000,
      subject: message.split('\n', 1)[0] ?? '',
      trailers: parseTrailers(message),
    },
    tree: valuesOf('tree')[0] ?? '',
    parents: valuesOf('parent'),
  }
}

/** The `Key: value` lines of the last paragraph, as `git interpret-trailers` finds them; folded lines are joined. */
function parseTrailers(message: string): Commit['trailers'] {
  const paragraphs = message.trimEnd().split(/\n\s*\n/)
  if (paragraphs.length < 2) return []
  const trailers: { key: string; value: string }[] = []
  for (const line of paragraphs.at(-1)!.split('\n')) {
    const match = TRAILER.exec(line)
    if (match !== null) trailers.push({ key: match[1]!, value: match[2]!.trim() })
    else if (/^\s/.test(line) && trailers.length > 0) trailers.at(-1)!.value += ` ${line.trim()}`
  }
  return trailers.filter((trailer) => trailer.key.startsWith('Drover-'))
}

export type TreeItem = { readonly name: string; readonly id: string; readonly mode: TreeEntry['mode'] | 'tree' }

const MODES: Readonly<Record<string, TreeItem['mode']>> = {
  '40000': 'tree',
  '100644': 'file',
  '100664': 'file',
  '100755': 'executable',
  '120000': 'symlink',
  '160000': 'gitlink',
}

/** @param idBytes 20, or 32 in a SHA-256 repository */
export function parseTree(content: Buffer, idBytes: number): readonly TreeItem[] {
  const items: TreeItem[] = []
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at)
    const end = content.indexOf(0x00, space)
    const mode = MODES[content.toString('latin1', at, space)]
    const name = content.toString('utf8', space + 1, end)
    const id = content.toString('hex', end + 1, end + 1 + idBytes)
    at = end + 1 + idBytes
    if (mode !== undefined) items.push({ name, id, mode })
  }
  return items
}
