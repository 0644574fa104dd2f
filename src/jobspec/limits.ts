/** What one jobspec may cost. Each is told by name when it is hit, and may be set by configuration. */
export interface Limits {
  readonly fileBytesMax: number
  /** Blocks, brackets, templates and operators inside each other. */
  readonly nestingMax: number
  readonly groupCountMax: number
  /** The job as it is stored, in bytes of JSON. */
  readonly jobBytesMax: number
  /** `count` of a group. */
  readonly countMax: number
  /** Characters and elements that evaluating one file may produce. */
  readonly outputMax: number
  /** Nodes of expressions that evaluating one file may visit. Deterministic, hence a verdict. */
  readonly stepsMax: number
  /** Values that a YAML file may unfold to through its aliases. */
  readonly yamlNodesMax: number
  /** Wall time of the syntax half of one file. Only ever means "not read yet". */
  readonly parseMsMax: number
  /** Files that one job may read. */
  readonly inputCountMax: number
}

export const LIMITS: Limits = {
  fileBytesMax: 1024 * 1024,
  nestingMax: 100,
  groupCountMax: 1000,
  jobBytesMax: 4 * 1024 * 1024,
  countMax: 100_000,
  outputMax: 1024 * 1024,
  stepsMax: 1_000_000,
  yamlNodesMax: 100_000,
  parseMsMax: 5000,
  inputCountMax: 1000,
}
