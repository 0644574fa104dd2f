/** Whose commits count: the rules, and what they say of signatures that were read. Pure. */
import { assertNever, type Commit } from '../../domain/index.js'
import { APPROVE, isTrailer } from '../trailers.js'

/** What git finds of one commit's signature. */
export type SignatureFact =
  /** By a key that is believed; `signer` is the principal of an ssh key, or the fingerprint of an OpenPGP key in capitals. */
  | { readonly kind: 'good'; readonly signer: string }
  | { readonly kind: 'none' }
  /** Changed since it was signed, or no signature at all by the look of it. */
  | { readonly kind: 'bad' }
  /** By a key that nobody has named; what git calls it, where it can tell. */
  | { readonly kind: 'unknown'; readonly key: string }
  | { readonly kind: 'expired'; readonly key: string }
  | { readonly kind: 'revoked'; readonly key: string }

export interface PathRule {
  /** A file, or a folder with all below it. */
  readonly path: string
  readonly signers: readonly string[]
  /** How many of them. */
  readonly required: number
}

export type TrustRules =
  /** The newest commit has to be signed, and vouches for all before it. */
  | { readonly mode: 'head' }
  /** Every commit after `root` has to be signed. */
  | { readonly mode: 'strict'; readonly root: string; readonly paths: readonly PathRule[] }

/** A commit with all that is judged of it. */
export interface JudgedCommit {
  readonly commit: Commit
  readonly fact: SignatureFact
  /** What it changes, of what some rule is about. */
  readonly touched: readonly string[]
}

/** An id shortened to less than this names nothing for sure. */
const ID_LENGTH_MIN = 7
const SIGNERS_NAMED_MAX = 10

/** Undefined where the signature is one that counts; else a sentence with the remedy. */
export function refuseSignature({ id, author }: Commit, fact: SignatureFact): string | undefined {
  const which = `commit ${id.slice(0, 12)} of ${author}`
  switch (fact.kind) {
    case 'good':
      return undefined
    case 'none':
      return `${which} is not signed; sign it (git commit --amend --no-edit -S, or git rebase --exec for several) and push it again`
    case 'bad':
      return `${which} has a signature that does not fit it: it was changed after it was signed; sign it again`
    case 'unknown':
      return `${which} is signed with a key that nobody has named (${fact.key}); sign it with one of those in source.trust, or add this one there`
    case 'expired':
      return `${which} is signed with a key that has expired (${fact.key}); sign it with one that has not, or prolong this one in source.trust`
    case 'revoked':
      return `${which} is signed with a key that was revoked (${fact.key}); sign it with another`
    default:
      return assertNever(fact)
  }
}

/**
 * Every commit is to be signed, and what a rule is about by enough of those that it names: by the commit itself, or by later ones that say
 * `Drover-Approve: <id>`.
 * @param commits oldest first
 * @returns undefined where all is well; else a sentence with the remedy
 */
export function refuseHistory(commits: readonly JudgedCommit[], rules: readonly PathRule[]): string | undefined {
  const unsigned = commits.flatMap(({ commit, fact }) => refuseSignature(commit, fact) ?? [])
  if (unsigned.length > 0) return unsigned.length === 1 ? unsigned[0] : `${unsigned[0]} (and ${unsigned.length - 1} more like it)`
  for (const judged of commits) {
    for (const rule of rules) {
      const why = refuseByRule(judged, rule, commits)
      if (why !== undefined) return why
    }
  }
  return undefined
}

/** Whether the path is that of the rule, or below it. */
export function isUnder(path: string, { path: ruled }: PathRule): boolean {
  return ruled === '' || path === ruled || path.startsWith(`${ruled}/`)
}

function refuseByRule({ commit, fact, touched }: JudgedCommit, rule: PathRule, all: readonly JudgedCommit[]): string | undefined {
  const path = touched.find((each) => isUnder(each, rule))
  if (path === undefined) return undefined
  const approving = all.filter(({ commit: other }) => other.id !== commit.id && approves(other, commit.id)).map(({ fact: other }) => other)
  const signers = new Set(
    [fact, ...approving].flatMap((each) => (each.kind === 'good' && rule.signers.includes(each.signer) ? [each.signer] : [])),
  )
  if (signers.size >= rule.required) return undefined
  const so = signers.size === 0 ? 'none of them has' : `so far only ${[...signers].sort().join(', ')} has`
  const named = [...rule.signers.slice(0, SIGNERS_NAMED_MAX), ...(rule.signers.length > SIGNERS_NAMED_MAX ? ['…'] : [])].join(', ')
  return (
    `commit ${commit.id.slice(0, 12)} of ${commit.author} changes ${path}, which ${rule.required} of (${named}) have to sign, and ${so}; let them say so: ` +
    `git commit --allow-empty -S -m "approve" --trailer "${APPROVE}: ${commit.id}"`
  )
}

function approves({ trailers }: Commit, id: string): boolean {
  return trailers.some(
    (trailer) => isTrailer(trailer, APPROVE) && trailer.value.length >= ID_LENGTH_MIN && id.startsWith(trailer.value.toLowerCase()),
  )
}
