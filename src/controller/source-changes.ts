/** What of a reading is kept: bounded whatever a repository holds, and proposed only where it differs from what is known. */
import { type Commit, type FrozenFile, type JobSource, shorten, sourced } from '../domain/index.js'
import { type CommandBody, type StateView, sourcedKey } from '../state/index.js'

const TEXT_LENGTH_MAX = 500

/** Every job carries the commit that made it: its words for people, not its acts, which are done once and read elsewhere. */
export function briefCommit({ id, author, authorEmail, atMs, subject }: Commit): Commit {
  return {
    id,
    author: shorten(author, TEXT_LENGTH_MAX),
    authorEmail: shorten(authorEmail, TEXT_LENGTH_MAX),
    atMs,
    subject: shorten(subject, TEXT_LENGTH_MAX),
    trailers: [],
  }
}

/** Undefined where nothing differs. */
export function sourceFilesCommand(
  view: StateView,
  sourceId: string,
  found: readonly FrozenFile[],
  moved: readonly JobSource[],
): CommandBody | undefined {
  const from = sourced(sourceId)
  const frozen = found.map((file) => ({ ...file, ...from }))
  const isFrozen = new Set(frozen.map(({ path }) => path))
  const known = [...view.frozenFiles.valuesBy('source', sourceId)].map(({ path }) => path)
  const mended = known.filter((path) => !isFrozen.has(path)).sort()
  const news = frozen.filter((file) => !isSame(view.frozenFiles.get(sourcedKey(sourceId, file.path)), file))
  return mended.length + news.length + moved.length === 0 ? undefined : { kind: 'source-files', frozen: news, mended, moved, ...from }
}

function isSame(known: FrozenFile | undefined, file: FrozenFile): boolean {
  return known !== undefined && JSON.stringify(known) === JSON.stringify(file)
}
