/** What a repository keeps for its jobs to read: a file below `vars/<namespace>/`. In Nomad's shape. */
export interface Variable {
  readonly Namespace: string
  readonly Path: string
  /** By name; some may be encrypted (`encrypted-value.ts`). */
  readonly Items: Readonly<Record<string, string>>
  readonly CreateIndex: number
  readonly ModifyIndex: number
  /** Nanoseconds since 1970. */
  readonly CreateTime: number
  readonly ModifyTime: number
  /** Jobs of the namespace that may read what is encrypted in it, beside those that its path names; an id, or one's beginning and `*`. */
  readonly readers?: readonly string[]
}

/** Who reads: a task of a job. `jobId` of a launched or dispatched job is that of the job that it was made from. */
export interface VariableReader {
  readonly namespace: string
  readonly jobId: string
  readonly group: string
  readonly task: string
}

/** Whether a task may have the encrypted values of a variable: at the paths that Nomad lets it read by itself, and where it is granted. */
export function mayOpen(variable: Pick<Variable, 'Namespace' | 'Path' | 'readers'>, reader: VariableReader): boolean {
  if (variable.Namespace !== reader.namespace) return false
  const { jobId, group, task } = reader
  const own = ['nomad/jobs', `nomad/jobs/${jobId}`, `nomad/jobs/${jobId}/${group}`, `nomad/jobs/${jobId}/${group}/${task}`]
  return own.includes(variable.Path) || (variable.readers ?? []).some((pattern) => isCovered(jobId, pattern))
}

/** `*` at the end stands for anything. */
export function isCovered(text: string, pattern: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern
}
