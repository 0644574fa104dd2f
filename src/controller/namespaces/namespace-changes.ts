/** What the namespaces of a commit are, compared with what is known: pure. A file with mistakes leaves what it last said as it is. */
import type { JobNeeds, Namespace } from '../../domain/index.js'
import type { CommandBody, StateView } from '../../state/index.js'
import { JOBS_FOLDER } from '../repository-layout.js'
import { claimOwner, type SourceScope } from '../sources/source-scope.js'
import { type NamespaceFiles, plainNamespace } from './namespaces-folder.js'

/**
 * @param files only what the source may describe
 * @param used namespaces that jobs are to be registered in: a folder of jobs makes its namespace
 */
export function computeNamespaceChanges(
  view: StateView,
  scope: SourceScope,
  files: NamespaceFiles,
  used: Iterable<string>,
): readonly CommandBody[] {
  const said = new Map(files.said.map((file) => [file.namespace.Name, file]))
  const kept = new Set([...files.frozen.map(({ path }) => path), ...files.aborted])
  const isKept = (name: string) => kept.has(`${JOBS_FOLDER}/${name}/_namespace.hcl`)
  const isOwn = (name: string) => said.has(name) || claimOwner(view, { kind: 'namespace', namespace: name, path: '' }) === scope.id
  const names = [...new Set([...view.namespaces.keys(), ...said.keys(), ...used])].sort()
  const namespaces = names.flatMap((name): readonly CommandBody[] => {
    const known = view.namespaces.get(name)
    if (known !== undefined && !isOwn(name)) return []
    const wanted = said.get(name)?.namespace ?? (isKept(name) ? known : undefined) ?? plainNamespace(name)
    return known !== undefined && isSame(known, wanted) ? [] : [{ kind: 'namespace-put', namespace: wanted }]
  })
  const orders = names.flatMap((name): readonly CommandBody[] => {
    const known = view.namespaceOrders.get(name)
    if (!isOwn(name) || (!said.has(name) && isKept(name))) return []
    const order = said.get(name)?.order
    const isOrdered = order !== undefined && (order.windows.length > 0 || order.suspend !== null)
    if (!isOrdered) return known === undefined ? [] : [{ kind: 'namespace-order', namespace: name, order: null }]
    return JSON.stringify(known) === JSON.stringify(order) ? [] : [{ kind: 'namespace-order', namespace: name, order }]
  })
  return [...namespaces, ...orders]
}

function isSame(known: Namespace, wanted: Namespace): boolean {
  const { CreateIndex, ModifyIndex } = known
  return JSON.stringify(known) === JSON.stringify({ ...wanted, CreateIndex, ModifyIndex })
}

/** What a namespace does not let its jobs be, in words; all of it. */
export function namespaceProblems(
  { nodePool, tasks }: Pick<JobNeeds, 'nodePool' | 'tasks'>,
  { Name, Capabilities, NodePoolConfiguration }: Namespace,
): readonly string[] {
  const { EnabledTaskDrivers, DisabledTaskDrivers } = Capabilities ?? { EnabledTaskDrivers: null, DisabledTaskDrivers: null }
  const { Allowed, Denied } = NodePoolConfiguration ?? { Allowed: null, Denied: null }
  const isDriverFree = (driver: string) => (EnabledTaskDrivers?.includes(driver) ?? true) && DisabledTaskDrivers?.includes(driver) !== true
  const drivers = tasks
    .filter(({ driver }) => !isDriverFree(driver))
    .map(({ name, driver }) => `task "${name}" uses driver "${driver}", which namespace "${Name}" does not allow`)
  const isPoolFree = (Allowed?.includes(nodePool) ?? true) && Denied?.includes(nodePool) !== true
  return [...drivers, ...(isPoolFree ? [] : [`node pool "${nodePool}" is not allowed in namespace "${Name}"`])]
}
