/** What the namespaces of a commit are, compared with what is known: pure. A file with mistakes leaves what it last said as it is. */
import type { Namespace } from '../../domain/index.js'
import type { CommandBody, StateView } from '../../state/index.js'
import { JOBS_FOLDER } from '../repository-layout.js'
import { type NamespaceFiles, plainNamespace } from './namespaces-folder.js'

/** @param used namespaces that jobs are to be registered in: a folder of jobs makes its namespace */
export function computeNamespaceChanges(view: StateView, files: NamespaceFiles, used: Iterable<string>): readonly CommandBody[] {
  const said = new Map(files.said.map((file) => [file.namespace.Name, file]))
  const kept = new Set([...files.frozen.map(({ path }) => path), ...files.aborted])
  const isKept = (name: string) => kept.has(`${JOBS_FOLDER}/${name}/_namespace.hcl`)
  const names = [...new Set([...view.namespaces.keys(), ...said.keys(), ...used])].sort()
  const namespaces = names.flatMap((name): readonly CommandBody[] => {
    const known = view.namespaces.get(name)
    const wanted = said.get(name)?.namespace ?? (isKept(name) ? known : undefined) ?? plainNamespace(name)
    return known !== undefined && isSame(known, wanted) ? [] : [{ kind: 'namespace-put', namespace: wanted }]
  })
  const orders = names.flatMap((name): readonly CommandBody[] => {
    const known = view.namespaceOrders.get(name)
    if (!said.has(name) && isKept(name)) return []
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
  job: {
    readonly NodePool: string
    readonly TaskGroups: readonly { readonly Tasks: readonly { readonly Name: string; readonly Driver: string }[] }[]
  },
  { Name, Capabilities, NodePoolConfiguration }: Namespace,
): readonly string[] {
  const { EnabledTaskDrivers, DisabledTaskDrivers } = Capabilities ?? { EnabledTaskDrivers: null, DisabledTaskDrivers: null }
  const { Allowed, Denied } = NodePoolConfiguration ?? { Allowed: null, Denied: null }
  const isDriverFree = (driver: string) => (EnabledTaskDrivers?.includes(driver) ?? true) && DisabledTaskDrivers?.includes(driver) !== true
  const drivers = job.TaskGroups.flatMap(({ Tasks }) => Tasks)
    .filter(({ Driver }) => !isDriverFree(Driver))
    .map((task) => `task "${task.Name}" uses driver "${task.Driver}", which namespace "${Name}" does not allow`)
  const isPoolFree = (Allowed?.includes(job.NodePool) ?? true) && Denied?.includes(job.NodePool) !== true
  return [...drivers, ...(isPoolFree ? [] : [`node pool "${job.NodePool}" is not allowed in namespace "${Name}"`])]
}
