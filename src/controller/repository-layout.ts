/** Which paths of a repository mean what (design §5). Everything else may lie beside and is no job. */
import { NAMESPACE_DEFAULT, NODE_POOL_DEFAULT } from '../domain/index.js'

export const JOBS_FOLDER = 'jobs'
export const AGENTS_FOLDER = 'agents'

const JOB_FILE = /\.nomad(\.hcl|\.json|\.ya?ml)?$/
const NODE_FILE = /\.hcl$/

export type RepositoryPath =
  | { readonly kind: 'job'; readonly namespace: string }
  | { readonly kind: 'node'; readonly pool: string; readonly name: string }
  | { readonly kind: 'other' }

const OTHER: RepositoryPath = { kind: 'other' }

export function classifyPath(path: string): RepositoryPath {
  if (!path.startsWith(`${JOBS_FOLDER}/`) && !path.startsWith(`${AGENTS_FOLDER}/`)) return OTHER
  const parts = path.split('/')
  const file = parts.at(-1)!
  if (parts[0] === JOBS_FOLDER && parts.length >= 2 && JOB_FILE.test(file)) {
    return { kind: 'job', namespace: parts.length === 2 ? NAMESPACE_DEFAULT : parts[1]! }
  }
  if (parts[0] === AGENTS_FOLDER && parts.length >= 2 && parts.length <= 3 && NODE_FILE.test(file) && !file.startsWith('_')) {
    return { kind: 'node', pool: parts.length === 2 ? NODE_POOL_DEFAULT : parts[1]!, name: file.replace(NODE_FILE, '') }
  }
  return OTHER
}
