/** What a repository keeps for its jobs to read: a file below `vars/<namespace>/`. In Nomad's shape. */
export interface Variable {
  readonly Namespace: string
  readonly Path: string
  readonly Items: Readonly<Record<string, string>>
  readonly CreateIndex: number
  readonly ModifyIndex: number
  /** Nanoseconds since 1970. */
  readonly CreateTime: number
  readonly ModifyTime: number
}
