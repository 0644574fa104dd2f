/** Namespaces and variables that several sources may want: one of them has each. What another has, or what a source may not have, is a mistake of its file. */
import { type FrozenFile, type Mistake, mistakeOfFile, namespacedKey, SOURCE_DEFAULT, type SourceClaim } from '../../domain/index.js'
import { type CommandBody, claimKey, type StateView } from '../../state/index.js'
import type { NamespaceFiles } from '../namespaces/namespaces-folder.js'
import { classifyPath } from '../repository-layout.js'
import type { SourceTree } from '../source-tree.js'
import type { VariablesFolder } from '../variables/variables-folder.js'
import { isAllowed, limitMistake, namespaceText } from './source-limits.js'
import { claimedBy, claimTaker, type SourceScope } from './source-scope.js'

/** What is left of the files when those are taken out that say what is not theirs to say. */
export function ownNamespaces(view: StateView, scope: SourceScope, tree: SourceTree, files: NamespaceFiles): NamespaceFiles {
  const refused = files.said.flatMap(({ path }) => refuse(view, scope, tree, path))
  const isRefused = new Set(refused.map(({ path }) => path))
  return { ...files, said: files.said.filter(({ path }) => !isRefused.has(path)), frozen: [...files.frozen, ...refused] }
}

export function ownVariables(view: StateView, scope: SourceScope, tree: SourceTree, folder: VariablesFolder): VariablesFolder {
  const wanted = new Set(folder.variables.map(({ Namespace, Path }) => namespacedKey(Namespace, Path)))
  const refused = tree.entries.flatMap(({ path }) => {
    const claimed = claimedBy(path)
    const isWanted = claimed?.kind === 'variable' && wanted.has(namespacedKey(claimed.namespace, claimed.path))
    return isWanted ? refuse(view, scope, tree, path) : refuseAccess(scope, tree, path)
  })
  if (refused.length === 0) return folder
  const isRefused = new Set(
    refused.flatMap(({ path }) => claimedBy(path) ?? []).map(({ namespace, path }) => namespacedKey(namespace, path)),
  )
  return {
    ...folder,
    variables: folder.variables.filter(({ Namespace, Path }) => !isRefused.has(namespacedKey(Namespace, Path))),
    frozen: [...folder.frozen, ...refused],
  }
}

/** Who may read what in a namespace that the source has nothing in. */
function refuseAccess({ id, limits }: SourceScope, tree: SourceTree, path: string): readonly FrozenFile[] {
  const meaning = classifyPath(path)
  if (meaning.kind !== 'access' || limits === undefined || isAllowed(limits.namespaces, meaning.namespace)) return []
  const mistakes = [limitMistake(path, id, namespaceText(meaning.namespace))]
  return [{ path, blob: tree.blobOf(path), namespace: null, jobId: null, mistakes }]
}

function refuse(view: StateView, scope: SourceScope, tree: SourceTree, path: string): readonly FrozenFile[] {
  const claimed = claimedBy(path)!
  const frozen = { path, blob: tree.blobOf(path), namespace: null, jobId: null }
  if (scope.limits !== undefined && !isAllowed(scope.limits.namespaces, claimed.namespace))
    return [{ ...frozen, mistakes: [limitMistake(path, scope.id, namespaceText(claimed.namespace))] }]
  const taker = claimTaker(view, scope, claimed)
  if (taker === undefined) return []
  return [{ ...frozen, takenBy: taker, mistakes: [takenMistake(path, claimed, taker)] }]
}

function takenMistake(path: string, { kind, namespace, path: name }: Omit<SourceClaim, 'sourceId'>, taker: string): Mistake {
  const what = kind === 'variable' ? `the variable "${name}" of namespace "${namespace}"` : `the namespace "${namespace}"`
  const detail = 'One source has it. Take it out of this one, or out of the other.'
  return mistakeOfFile(path, `${what} is already said by the source "${taker}"`, detail)
}

/** Proposed before what is claimed is written, so that nobody takes it for the first source's. Undefined where nothing is new. */
export function claimCommand(
  view: StateView,
  { id }: SourceScope,
  namespaces: NamespaceFiles,
  variables: VariablesFolder,
): CommandBody | undefined {
  const wanted = [
    ...namespaces.said.map(({ namespace }) => ({ kind: 'namespace' as const, namespace: namespace.Name, path: '' })),
    ...variables.variables.map(({ Namespace, Path }) => ({ kind: 'variable' as const, namespace: Namespace, path: Path })),
  ].map((claimed): SourceClaim => ({ sourceId: id, ...claimed }))
  // What nobody claims is the first one's: it only takes back what others have left.
  const claimed = id === SOURCE_DEFAULT ? [] : wanted.filter((one) => view.sourceClaims.get(claimKey(one))?.sourceId !== id)
  const released = id === SOURCE_DEFAULT ? wanted.flatMap((one) => view.sourceClaims.get(claimKey(one)) ?? []) : []
  return claimed.length + released.length === 0 ? undefined : { kind: 'source-claims', claimed, released }
}

/** Proposed when what was claimed is gone. */
export function releaseCommand(
  view: StateView,
  { id }: SourceScope,
  namespaces: NamespaceFiles,
  variables: VariablesFolder,
): CommandBody | undefined {
  const kept = new Set([
    ...[...namespaces.frozen, ...variables.frozen].flatMap(({ path }) => claimedBy(path) ?? []).map(claimKey),
    ...namespaces.aborted.flatMap((path) => claimedBy(path) ?? []).map(claimKey),
    ...namespaces.said.map(({ namespace }) => claimKey({ kind: 'namespace', namespace: namespace.Name, path: '' })),
    ...variables.variables.map(({ Namespace, Path }) => claimKey({ kind: 'variable', namespace: Namespace, path: Path })),
  ])
  const released = view.sourceClaims.by('source', id).filter((one) => !kept.has(claimKey(one)))
  return released.length === 0 ? undefined : { kind: 'source-claims', claimed: [], released }
}
