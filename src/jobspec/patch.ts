/** RFC 6902 patches over a job's canonical JSON, from `*.patch.yaml`. */
import jsonPatch from 'fast-json-patch'
import type { Job, Mistake } from '../domain/index.js'
import { canonicalizeJob } from './canonicalize.js'
import { plainNode, readApiJob } from './decode/api-form.js'
import type { ApiJob } from './decode/api-job.js'
import { type Fault, fault, toMistakes } from './mistakes.js'
import type { JsonNode, Syntax } from './syntax.js'

export type PatchOutcome =
  | { readonly kind: 'patched'; readonly job: Job }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }

const OPERATIONS: ReadonlySet<string> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test'])

/** `patch` holds a list of operations; the result is canonical again. Who the job is cannot be patched. */
export function applyJobPatch(job: Job, patch: Syntax): PatchOutcome {
  const { path } = patch
  if (patch.kind === 'hcl' || patch.root.kind !== 'array') {
    return mistakes(path, [
      fault(
        patch,
        { start: 0, end: 0 },
        'Not a patch',
        'A patch is a list of operations, each with op, path and, for most, value (RFC 6902).',
      ),
    ])
  }
  const { items } = patch.root
  const faults = items.flatMap((item) => operationFaults(patch, item))
  if (faults.length > 0) return mistakes(path, faults)
  let document = structuredCloneOf(job)
  for (const item of items) {
    const operation = plainNode(item) as unknown as jsonPatch.Operation
    try {
      document = jsonPatch.applyOperation(document, operation, true, true, true).newDocument
    } catch (error) {
      if (!(error instanceof jsonPatch.JsonPatchError)) throw error
      const reason =
        error.name === 'TEST_OPERATION_FAILED' ? 'the value there is another one' : (error.message.split('\n')[0] ?? error.name)
      return mistakes(path, [fault(patch, item, 'Patch does not apply', `Operation ${operation.op} at ${operation.path}: ${reason}.`)])
    }
  }
  const patched = canonicalizeJob(readApiJob(document))
  if (patched.ID === job.ID && patched.Namespace === job.Namespace) return { kind: 'patched', job: patched }
  return mistakes(path, [
    {
      summary: 'Patch changes the identity',
      detail: `A patch cannot turn job ${job.Namespace}/${job.ID} into ${patched.Namespace}/${patched.ID}.`,
      source: patch,
    },
  ])
}

function structuredCloneOf(job: Job): ApiJob {
  return JSON.parse(JSON.stringify(job)) as ApiJob
}

function operationFaults(patch: Exclude<Syntax, { kind: 'hcl' }>, item: JsonNode): Fault[] {
  const plain = plainNode(item)
  const member = (name: string): unknown =>
    typeof plain === 'object' && plain !== null && !Array.isArray(plain) ? (plain as Readonly<Record<string, unknown>>)[name] : undefined
  const op = member('op')
  if (typeof op !== 'string' || !OPERATIONS.has(op))
    return [fault(patch, item, 'Unknown operation', `"op" must be one of ${[...OPERATIONS].join(', ')}.`)]
  if (typeof member('path') !== 'string')
    return [fault(patch, item, 'Missing path', '"path" must be a JSON pointer such as /TaskGroups/0/Count.')]
  if (['add', 'replace', 'test'].includes(op) && member('value') === undefined)
    return [fault(patch, item, 'Missing value', `Operation ${op} needs a "value".`)]
  if (['move', 'copy'].includes(op) && typeof member('from') !== 'string')
    return [fault(patch, item, 'Missing from', `Operation ${op} needs a "from".`)]
  return []
}

function mistakes(path: string, faults: readonly Fault[]): PatchOutcome {
  return { kind: 'mistakes', mistakes: toMistakes(faults, path) }
}
