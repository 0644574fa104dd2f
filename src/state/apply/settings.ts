import {
  invariant,
  type LogIndex,
  NAMESPACE_DEFAULT,
  type Namespace,
  NODE_POOL_ALL,
  NODE_POOL_DEFAULT,
  type NodePool,
  namespacedKey,
  sourced,
  sourceIdOf,
  unixNanoseconds,
} from '../../domain/index.js'
import { claimKey, sourcedKey, variableKey } from '../schema.js'
import type { State } from '../state.js'
import type { CommandOf } from './kind.js'

/** I1 Epochs only grow. The first entry of a log fixes the cluster id and makes what is built in. */
export function beginLeadership(state: State, index: LogIndex, command: CommandOf<'leadership-begin'>): void {
  invariant(command.epoch > state.epoch, `epoch ${command.epoch} would follow epoch ${state.epoch}`)
  invariant(
    state.clusterId === '' || state.clusterId === command.clusterId,
    `cluster ${command.clusterId} would follow cluster ${state.clusterId}`,
  )
  state.epoch = command.epoch
  if (state.clusterId !== '') return
  state.clusterId = command.clusterId
  builtInRows(state, index)
}

/** What every cluster has. */
export function builtInRows(state: State, index: LogIndex): void {
  state.namespaces.put(index, builtInNamespace(index))
  for (const name of [NODE_POOL_ALL, NODE_POOL_DEFAULT]) state.nodePools.put(index, builtInPool(name, index))
}

export function syncSource(state: State, index: LogIndex, command: CommandOf<'source-sync'>): void {
  const { frozen, ...status } = command.status
  state.sources.put(index, { ...status, modifyIndex: index })
  if (frozen === undefined) return
  // Of the first source: that old the log is.
  const mended = [...state.frozenFiles.keys()]
  noteSourceFiles(state, index, { kind: 'source-files', frozen, mended, moved: command.moved ?? [], atMs: command.atMs })
}

export function noteSourceFiles(state: State, index: LogIndex, command: CommandOf<'source-files'>): void {
  const sourceId = sourceIdOf(command)
  for (const path of command.mended) state.frozenFiles.delete(index, sourcedKey(sourceId, path))
  for (const file of command.frozen) state.frozenFiles.put(index, file)
  for (const source of command.moved) state.jobSources.put(index, source)
}

export function dropChanges(state: State, index: LogIndex, { changes }: CommandOf<'changes-drop'>): void {
  for (const { namespace, jobId } of changes) state.waitingChanges.delete(index, namespacedKey(namespace, jobId))
}

/** I11 Each commit acts once. */
export function rememberActedCommits(state: State, index: LogIndex, command: CommandOf<'commits-acted'>): void {
  const from = sourced(sourceIdOf(command))
  for (const id of command.commits) state.actedCommits.put(index, { id, ...from })
}

export function claim(state: State, index: LogIndex, { claimed, released }: CommandOf<'source-claims'>): void {
  for (const one of released) state.sourceClaims.delete(index, claimKey(one))
  for (const one of claimed) state.sourceClaims.put(index, one)
}

export function putVariable(state: State, index: LogIndex, { namespace, path, items, readers, atMs }: CommandOf<'variable-put'>): void {
  const known = state.variables.get(variableKey({ Namespace: namespace, Path: path }))
  const now = unixNanoseconds(atMs)
  state.variables.put(index, {
    Namespace: namespace,
    Path: path,
    Items: items,
    CreateIndex: known?.CreateIndex ?? index,
    ModifyIndex: index,
    CreateTime: known?.CreateTime ?? now,
    ModifyTime: now,
    ...(readers === undefined ? {} : { readers }),
  })
}

export function configureScheduler(state: State, index: LogIndex, command: CommandOf<'scheduler-configure'>): void {
  state.schedulerConfiguration = Object.freeze({
    ...command.configuration,
    CreateIndex: state.schedulerConfiguration.CreateIndex,
    ModifyIndex: index,
  })
}

function builtInNamespace(index: LogIndex): Namespace {
  return {
    Name: NAMESPACE_DEFAULT,
    Description: 'Default shared namespace',
    Quota: '',
    Capabilities: null,
    Meta: null,
    NodePoolConfiguration: null,
    CreateIndex: index,
    ModifyIndex: index,
  }
}

function builtInPool(name: string, index: LogIndex): NodePool {
  return {
    Name: name,
    Description: name === NODE_POOL_ALL ? 'Node pool with all nodes in the cluster.' : 'Default node pool.',
    Meta: null,
    SchedulerConfiguration: null,
    NodeIdentityTTL: 0,
    CreateIndex: index,
    ModifyIndex: index,
  }
}
