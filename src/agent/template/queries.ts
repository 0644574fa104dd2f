/** What templates ask of the world: everything that is not in the template or its environment. */
import type { Bytes } from './bytes.js'

export type Query =
  | { readonly kind: 'key'; readonly path: Bytes }
  /** Keys below a prefix; `isDeep` takes those in folders below too. */
  | { readonly kind: 'keys'; readonly prefix: Bytes; readonly isDeep: boolean }
  | { readonly kind: 'secret'; readonly path: Bytes }
  | { readonly kind: 'secrets'; readonly path: Bytes }
  | {
      readonly kind: 'service'
      readonly provider: 'consul' | 'nomad'
      readonly name: Bytes
      /** '' for every tag. */
      readonly tag: Bytes
      /** Also instances of which a check fails. */
      readonly takesFailing: boolean
      readonly choose?: Choice
    }
  | { readonly kind: 'services'; readonly provider: 'consul' | 'nomad' }
  | { readonly kind: 'variable'; readonly path: Bytes; readonly namespace: Bytes | undefined }
  | { readonly kind: 'variables'; readonly prefix: Bytes; readonly namespace: Bytes | undefined }
  | { readonly kind: 'file'; readonly path: Bytes }
  | { readonly kind: 'node' | 'nodes' | 'datacenters' }

/** So many instances, the same ones for the same key. */
export interface Choice {
  readonly count: number
  readonly key: Bytes
}

/** `absent` is known not to be there; `unknown` has not been asked yet. */
export type Found<T> =
  /** `isSecret`: what was encrypted; it goes into files that only the task reads, and into no message. */
  | { readonly kind: 'value'; readonly value: T; readonly isSecret?: true }
  | { readonly kind: 'absent' }
  /** `reason`: why it is not known, where that is not a matter of time. */
  | { readonly kind: 'unknown'; readonly reason?: string }

export function queryKey(query: Query): string {
  return JSON.stringify(query)
}

/** Whose namespace is asked where the query names none. */
export interface QueryScope {
  readonly namespace: string
  readonly region: string
}

/** As consul-template names its dependencies: what people see in "Missing: …". */
export function describeQuery(query: Query, scope: QueryScope): string {
  switch (query.kind) {
    case 'key':
      return `kv.block(${query.path})`
    case 'keys':
      return `kv.list(${query.prefix})`
    case 'secret':
      return `vault.read(${query.path})`
    case 'secrets':
      return `vault.list(${query.path})`
    case 'service':
      return query.provider === 'nomad'
        ? `nomad.service(${query.name})`
        : `health.service(${query.tag === '' ? '' : `${query.tag}.`}${query.name}|passing)`
    case 'services':
      return query.provider === 'nomad' ? 'nomad.services' : 'catalog.services'
    case 'variable':
      return `nomad.var.block(${query.path}@${query.namespace ?? scope.namespace}.${scope.region})`
    case 'variables':
      return `nomad.var.list(${query.prefix}@${query.namespace ?? scope.namespace}.${scope.region})`
    case 'file':
      return `file(${query.path})`
    default:
      return `catalog.${query.kind}`
  }
}
