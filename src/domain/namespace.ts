/** Source: Nomad API docs, "Namespaces" */
export interface Namespace {
  readonly Name: string
  readonly Description: string
  readonly Quota: string
  readonly Capabilities: {
    readonly EnabledTaskDrivers: readonly string[] | null
    readonly DisabledTaskDrivers: readonly string[] | null
  } | null
  readonly Meta: Readonly<Record<string, string>> | null
  readonly NodePoolConfiguration: {
    readonly Default: string
    readonly Allowed: readonly string[] | null
    readonly Denied: readonly string[] | null
  } | null
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

export const NAMESPACE_DEFAULT = 'default'
