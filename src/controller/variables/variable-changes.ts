/** What makes the table of variables equal to the folder. Variables of frozen files stay, but for who may read them. */
import type { Variable } from '../../domain/index.js'
import { type CommandBody, type StateView, variableKey } from '../../state/index.js'
import { classifyPath } from '../repository-layout.js'
import { claimOwner, type SourceScope } from '../sources/source-scope.js'
import type { VariablesFolder } from './variables-folder.js'

/** As far as they are the source's. */
export function computeVariableChanges(view: StateView, { id }: Pick<SourceScope, 'id'>, folder: VariablesFolder): readonly CommandBody[] {
  const isOwn = ({ Namespace, Path }: Pick<Variable, 'Namespace' | 'Path'>) =>
    claimOwner(view, { kind: 'variable', namespace: Namespace, path: Path }) === id
  const frozen = folder.frozen.flatMap(({ path }) => {
    const meaning = classifyPath(path)
    const known =
      meaning.kind === 'variable' ? view.variables.get(variableKey({ Namespace: meaning.namespace, Path: meaning.path })) : undefined
    return known !== undefined && isOwn(known) ? [known] : []
  })
  const wanted = [...folder.variables, ...frozen]
  const keys = new Set(wanted.map(variableKey))
  const puts = wanted.flatMap(({ Namespace, Path, Items }): readonly CommandBody[] => {
    const known = view.variables.get(variableKey({ Namespace, Path }))
    const readers = folder.readersOf({ Namespace, Path }) ?? known?.readers ?? []
    const isSame = known !== undefined && hasSameItems(known.Items, Items) && hasSameReaders(known.readers ?? [], readers)
    if (isSame) return []
    return [{ kind: 'variable-put', namespace: Namespace, path: Path, items: Items, ...(readers.length === 0 ? {} : { readers }) }]
  })
  const deletes = view.variables
    .all()
    .filter((variable) => isOwn(variable) && !keys.has(variableKey(variable)))
    .map(({ Namespace, Path }): CommandBody => ({ kind: 'variable-delete', namespace: Namespace, path: Path }))
  return [...puts, ...deletes]
}

function hasSameItems(known: Variable['Items'], wanted: Variable['Items']): boolean {
  const names = Object.keys(wanted)
  return names.length === Object.keys(known).length && names.every((name) => Object.hasOwn(known, name) && known[name] === wanted[name])
}

/** Both in order. */
function hasSameReaders(known: readonly string[], wanted: readonly string[]): boolean {
  return known.length === wanted.length && known.every((reader, at) => reader === wanted[at])
}
