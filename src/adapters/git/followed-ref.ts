/** What of a repository is followed: HEAD, one ref, the highest of its version tags, or one commit. */
import semver from 'semver'
import { TerminalError } from '../../domain/index.js'

export type FollowedRef =
  | { readonly kind: 'ref'; readonly name: string }
  /** The highest version in `range` among the tags that begin with `prefix`, a full ref name. */
  | { readonly kind: 'tags'; readonly prefix: string; readonly range: string }
  | { readonly kind: 'commit'; readonly id: string }

export const COMMIT_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/
const TAGS = /^refs\/tags\/[^*]*\*$/

/**
 * @param text `HEAD`, a full ref, `refs/tags/v*` together with `versions`, or a full commit id
 * @param versions a range as npm writes it, such as `>=1.2 <2`
 * @throws TerminalError GIT_REF
 */
export function parseFollowedRef(text: string, versions?: string): FollowedRef {
  if (TAGS.test(text)) {
    if (versions === undefined) throw refused(text, 'stands for many tags; say which versions are wanted, as in versions: ">=1.2 <2"')
    if (semver.validRange(versions) === null)
      throw refused(text, `takes a range of versions such as ">=1.2 <2", which "${versions}" is not`)
    return { kind: 'tags', prefix: text.slice(0, -1), range: versions }
  }
  if (versions !== undefined) throw refused(text, 'is one ref; a range of versions goes with tags, as in refs/tags/v*')
  if (COMMIT_ID.test(text)) return { kind: 'commit', id: text }
  if (text !== 'HEAD' && !isRefName(text))
    throw refused(text, 'is no name of a ref; write HEAD, refs/heads/main, refs/tags/v* or a whole commit id')
  return { kind: 'ref', name: text }
}

function refused(text: string, why: string): TerminalError {
  return new TerminalError('GIT_REF', `the ref ${text} ${why}`, { ref: text })
}

/** What git takes for the name of a ref (its documentation, "git check-ref-format"); short names are told elsewhere. */
function isRefName(name: string): boolean {
  if (/[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\.$|\/$|^[-/]/.test(name)) return false
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'))
}

/** The tag of the highest version in the range; undefined where none is one. */
export function highestTag(names: readonly string[], prefix: string, range: string): string | undefined {
  const versions = names.flatMap((name) => {
    const version = name.startsWith(prefix) ? semver.parse(name.slice(prefix.length)) : null
    return version !== null && semver.satisfies(version, range) ? [{ name, version }] : []
  })
  // Two tags of one version differ in what follows `+`, which says nothing of order: then the later name.
  versions.sort((a, b) => semver.rcompare(a.version, b.version) || (a.name < b.name ? 1 : -1))
  return versions[0]?.name
}
