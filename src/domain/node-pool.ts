/** A named set of nodes. `default` and `all` are built in. Source: Nomad API docs, "Node Pools" */
export interface NodePool {
  readonly Name: string
  readonly Description: string
  readonly Meta: Readonly<Record<string, string>> | null
  readonly SchedulerConfiguration: {
    readonly SchedulerAlgorithm: string
    readonly MemoryOversubscriptionEnabled: boolean | null
  } | null
  readonly NodeIdentityTTL: number
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

export const NODE_POOL_DEFAULT = 'default'
/** Every node belongs to it, whatever its own pool is. */
export const NODE_POOL_ALL = 'all'
