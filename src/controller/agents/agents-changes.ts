/** What `agents/` says, compared with what is known: pure. A file with mistakes leaves what it last said as it is. */
import { NODE_POOL_ALL, NODE_POOL_DEFAULT, SCHEDULER_CONFIGURATION_DEFAULT } from '../../domain/index.js'
import type { CommandBody, StateView } from '../../state/index.js'
import { AGENTS_FOLDER } from '../repository-layout.js'
import { type AgentsFolder, isPoolName } from './agents-folder.js'
import { plainPool } from './cluster-settings.js'

/** What has to be declared anew and what no longer is. */
export function computeAgentsChanges(view: StateView, folder: AgentsFolder): readonly CommandBody[] {
  const kept = new Set([...folder.frozen.map((file) => file.path), ...folder.aborted])
  return [...poolChanges(view, folder, kept), ...nodeChanges(view, folder, kept), ...schedulerChanges(view, folder, kept)]
}

function nodeChanges(view: StateView, { declarations, isComplete }: AgentsFolder, kept: ReadonlySet<string>): readonly CommandBody[] {
  const wanted = new Set(declarations.map(({ name }) => name))
  const removed = view.nodeDeclarations
    .all()
    .filter(({ name, path }) => isComplete && !wanted.has(name) && !kept.has(path))
    .map(({ name }) => name)
  const changed = declarations.filter((declaration) => !isSame(view.nodeDeclarations.get(declaration.name), declaration))
  return removed.length + changed.length === 0 ? [] : [{ kind: 'node-declare', declarations: changed, removed }]
}

/** A pool is there as long as its folder is. */
function poolChanges(view: StateView, { pools, poolNames, isComplete }: AgentsFolder, kept: ReadonlySet<string>): readonly CommandBody[] {
  const said = new Map(pools.map((pool) => [pool.Name, pool]))
  const commands: CommandBody[] = []
  for (const name of [...poolNames].sort()) {
    if (name === NODE_POOL_ALL || name === NODE_POOL_DEFAULT || !isPoolName(name)) continue
    const known = view.nodePools.get(name)
    const isKept = kept.has(`${AGENTS_FOLDER}/${name}/_pool.hcl`)
    const pool = said.get(name) ?? (isKept ? known : undefined) ?? plainPool(name)
    if (known === undefined || !isSame(withoutIndexes(known), withoutIndexes(pool))) commands.push({ kind: 'node-pool-put', pool })
  }
  if (!isComplete) return commands
  for (const { Name: name } of view.nodePools.all()) if (!poolNames.has(name)) commands.push({ kind: 'node-pool-delete', name })
  return commands
}

function schedulerChanges(view: StateView, { configuration }: AgentsFolder, kept: ReadonlySet<string>): readonly CommandBody[] {
  if (kept.has(`${AGENTS_FOLDER}/_cluster.hcl`)) return []
  const wanted = configuration ?? SCHEDULER_CONFIGURATION_DEFAULT
  if (isSame(withoutIndexes(view.schedulerConfiguration), withoutIndexes(wanted))) return []
  return [{ kind: 'scheduler-configure', configuration: wanted }]
}

function withoutIndexes<Row extends { readonly CreateIndex: number; readonly ModifyIndex: number }>(row: Row): unknown {
  return { ...row, CreateIndex: 0, ModifyIndex: 0 }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
