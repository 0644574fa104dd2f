/** Which paths of a repository mean what (docs/repository.md). Everything else may lie beside and is no job. */
import { type Mistake, mistakeOfFile, NAMESPACE_DEFAULT, NODE_POOL_ALL, NODE_POOL_DEFAULT } from '../domain/index.js'
import { instanceAt, isTemplatePath } from '../jobspec/index.js'
import type { TreeEntry } from './ports.js'

export const JOBS_FOLDER = 'jobs'
export const AGENTS_FOLDER = 'agents'
export const VARIABLES_FOLDER = 'vars'

const JOB_FILE = /\.nomad(\.hcl|\.json|\.ya?ml)?$/
const VARIABLE_FILE = /\.ya?ml$/
const DECLARATION_FILE = /\.hcl$/
const CLUSTER_FILE = '_cluster.hcl'
const POOL_FILE = '_pool.hcl'
const NAMESPACE_FILE = '_namespace.hcl'
const RECIPIENTS_FILE = '_recipients.yaml'
const ACCESS_FILE = '_access.yaml'

export type RepositoryPath =
  | { readonly kind: 'job'; readonly namespace: string }
  /** Jobs are made from it, each known by the file of its values. */
  | { readonly kind: 'template'; readonly namespace: string }
  | { readonly kind: 'namespace'; readonly namespace: string }
  | { readonly kind: 'node'; readonly pool: string; readonly name: string }
  | { readonly kind: 'pool'; readonly pool: string }
  | { readonly kind: 'cluster' }
  | { readonly kind: 'variable'; readonly namespace: string; readonly path: string }
  /** Whom values are encrypted for; null: in all namespaces without a list of their own. */
  | { readonly kind: 'recipients'; readonly namespace: string | null }
  /** Who may read what is encrypted. */
  | { readonly kind: 'access'; readonly namespace: string }
  /** Looks like settings and is read by nobody. */
  | { readonly kind: 'misplaced' }
  | { readonly kind: 'other' }

const OTHER: RepositoryPath = { kind: 'other' }

/** Whether a path is the folder itself or lies in it. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

export function classifyPath(path: string): RepositoryPath {
  const parts = path.split('/')
  if (parts.length < 2) return OTHER
  if (parts[0] === JOBS_FOLDER) return classifyJob(parts)
  if (parts[0] === VARIABLES_FOLDER) return classifyVariable(parts)
  return parts[0] === AGENTS_FOLDER ? classifyAgents(parts) : OTHER
}

function classifyJob(parts: readonly string[]): RepositoryPath {
  if (parts.at(-1) === NAMESPACE_FILE) return parts.length === 3 ? { kind: 'namespace', namespace: parts[1]! } : { kind: 'misplaced' }
  const file = parts.at(-1)!
  const namespace = parts.length === 2 ? NAMESPACE_DEFAULT : parts[1]!
  if (isTemplatePath(file)) return { kind: 'template', namespace }
  return JOB_FILE.test(file) || instanceAt(file) !== undefined ? { kind: 'job', namespace } : OTHER
}

function classifyVariable(parts: readonly string[]): RepositoryPath {
  if (!VARIABLE_FILE.test(parts.at(-1)!)) return OTHER
  const [, namespace = '', ...path] = parts
  const settings = path.length > 1 ? undefined : parts.at(-1)
  if (settings === RECIPIENTS_FILE) return { kind: 'recipients', namespace: path.length === 0 ? null : namespace }
  if (settings === ACCESS_FILE && path.length === 1) return { kind: 'access', namespace }
  return path.length === 0 ? { kind: 'misplaced' } : { kind: 'variable', namespace, path: path.join('/').replace(VARIABLE_FILE, '') }
}

function classifyAgents(parts: readonly string[]): RepositoryPath {
  const file = parts.at(-1)!
  if (!DECLARATION_FILE.test(file)) return OTHER
  const isInFolder = parts.length === 3
  if (parts.length > 3) return { kind: 'misplaced' }
  if (!file.startsWith('_'))
    return { kind: 'node', pool: isInFolder ? parts[1]! : NODE_POOL_DEFAULT, name: file.replace(DECLARATION_FILE, '') }
  if (isInFolder && file === POOL_FILE) return { kind: 'pool', pool: parts[1]! }
  return !isInFolder && file === CLUSTER_FILE ? { kind: 'cluster' } : { kind: 'misplaced' }
}

/** As in Nomad: other clients take no other names. */
const NAMESPACE_NAME = /^[a-zA-Z0-9-]{1,128}$/

/** A folder directly below `jobs/` that cannot be a namespace; undefined where the file's folder is one. */
export function namespaceMistake(path: string): Mistake | undefined {
  const meaning = classifyPath(path)
  if ((meaning.kind !== 'job' && meaning.kind !== 'template' && meaning.kind !== 'namespace') || NAMESPACE_NAME.test(meaning.namespace))
    return undefined
  const detail = `The folder directly below jobs/ is the namespace of a job, and ${JSON.stringify(meaning.namespace)} is no name of one: write letters, digits and "-", at most 128. What is no job may lie outside jobs/.`
  return mistakeOfFile(path, 'Invalid namespace', detail)
}

/** The pools of a commit: those that always exist, and each folder of hosts. */
export function nodePoolsIn(entries: readonly TreeEntry[]): ReadonlySet<string> {
  const pools = new Set([NODE_POOL_ALL, NODE_POOL_DEFAULT])
  for (const { path } of entries) {
    if (!path.startsWith(`${AGENTS_FOLDER}/`)) continue
    const meaning = classifyPath(path)
    if (meaning.kind === 'node' || meaning.kind === 'pool') pools.add(meaning.pool)
  }
  return pools
}
