/**
 * Whether a commit may be applied, by whose signatures it and its history bear. What was verified once is not read again: the newest commit
 * that was, with the root it goes back to, is kept in the state.
 *
 * Anti-rollback is not here: a commit that does not descend from the applied one waits anyway (rewind.ts), and with signatures asked for it
 * cannot be followed unasked.
 */
import type { Commit, VerifiedCommit } from '../../domain/index.js'
import type { CommitSignatures, GitSource } from '../ports.js'
import {
  isUnder,
  type JudgedCommit,
  type PathRule,
  refuseHistory,
  refuseSignature,
  type SignatureFact,
  type TrustRules,
} from './trust-rules.js'

export type TrustVerdict =
  | { readonly kind: 'trusted'; readonly verified: VerifiedCommit | null }
  /** A sentence with the remedy. */
  | { readonly kind: 'refused'; readonly why: string }

/** Commits that are verified in one go. More between the root and the newest are a root that is too old. */
const COMMITS_MAX = 20_000
const REMEMBERED_MAX = 10_000

export class CommitTrust {
  readonly #git: GitSource
  readonly #signatures: CommitSignatures
  readonly #rules: TrustRules
  /** Of the last question: a commit that waits is asked about with every look. */
  #last: { readonly key: string; readonly verdict: TrustVerdict } | undefined
  #facts = new Map<string, SignatureFact>()
  #factsOf = ''
  /** Signatures that were read, by what was found of them. */
  readonly counts = new Map<SignatureFact['kind'], number>()

  constructor(git: GitSource, signatures: CommitSignatures, rules: TrustRules) {
    this.#git = git
    this.#signatures = signatures
    this.#rules = rules
  }

  /** @throws OrchestratorError GIT_* where signatures cannot be read, which says nothing of them */
  async judge(commit: Commit, verified: VerifiedCommit | null): Promise<TrustVerdict> {
    const believed = await this.#signatures.prepare()
    const key = [believed, commit.id, verified?.root, verified?.id].join(' ')
    if (this.#last?.key === key) return this.#last.verdict
    if (this.#factsOf !== believed || this.#facts.size > REMEMBERED_MAX) this.#facts = new Map()
    this.#factsOf = believed
    const verdict = this.#rules.mode === 'head' ? await this.#judgeHead(commit) : await this.#judgeHistory(commit, verified, this.#rules)
    this.#last = { key, verdict }
    return verdict
  }

  async #judgeHead(commit: Commit): Promise<TrustVerdict> {
    const why = refuseSignature(commit, (await this.#read([commit.id])).get(commit.id)!)
    return why === undefined ? { kind: 'trusted', verified: null } : { kind: 'refused', why }
  }

  async #judgeHistory(
    commit: Commit,
    verified: VerifiedCommit | null,
    { root, paths }: TrustRules & { mode: 'strict' },
  ): Promise<TrustVerdict> {
    const trusted: TrustVerdict = { kind: 'trusted', verified: { root, id: commit.id } }
    if (commit.id === root) return trusted
    if (!(await this.#git.isAncestor(root, commit.id)))
      return {
        kind: 'refused',
        why: `commit ${commit.id.slice(0, 12)} does not descend from ${root.slice(0, 12)}, the root of trust; if the history was begun anew, name its root in source.trust.root`,
      }
    const isContinued = verified !== null && verified.root === root && (await this.#git.isAncestor(verified.id, commit.id))
    const commits = await this.#git.commitsBetween(isContinued ? verified.id : root, commit.id, COMMITS_MAX + 1)
    if (commits.length > COMMITS_MAX)
      return {
        kind: 'refused',
        why: `more than ${COMMITS_MAX} commits lie between source.trust.root and ${commit.id.slice(0, 12)}; name a newer root that you trust`,
      }
    const why = refuseHistory(await this.#judgeEach(commits, paths), paths)
    return why === undefined ? trusted : { kind: 'refused', why }
  }

  async #judgeEach(commits: readonly Commit[], paths: readonly PathRule[]): Promise<readonly JudgedCommit[]> {
    const facts = await this.#read(commits.map(({ id }) => id))
    const judged: JudgedCommit[] = []
    for (const commit of commits) {
      const touched = paths.length === 0 ? [] : await this.#signatures.touched(commit.id)
      judged.push({ commit, fact: facts.get(commit.id)!, touched: touched.filter((path) => paths.some((rule) => isUnder(path, rule))) })
    }
    return judged
  }

  async #read(ids: readonly string[]): Promise<ReadonlyMap<string, SignatureFact>> {
    const unknown = ids.filter((id) => !this.#facts.has(id))
    if (unknown.length === 0) return this.#facts
    for (const [id, fact] of await this.#signatures.read(unknown)) {
      this.#facts.set(id, fact)
      this.counts.set(fact.kind, (this.counts.get(fact.kind) ?? 0) + 1)
    }
    return this.#facts
  }
}
