/** Jobs that their namespace or their source does not let be what they are: mistakes of their files, also where it is the rule that has changed. */
import { type FrozenFile, type JobNeeds, type Mistake, mistakeOfFile, type Namespace } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import type { FileReading, SourceReadings } from '../desired-state.js'
import { bundleMember } from '../order/check-dependencies.js'
import { JOBS_FOLDER } from '../repository-layout.js'
import { needsOf } from '../sources/job-needs.js'
import { limitMistakes } from '../sources/source-limits.js'
import { claimOwner, type SourceScope } from '../sources/source-scope.js'
import { namespaceProblems } from './namespace-changes.js'
import type { NamespaceFiles } from './namespaces-folder.js'

/**
 * The namespaces as this commit has them, and as other sources describe them. One whose file has mistakes is what it last was.
 * @param view undefined: nothing is known of what they last were
 */
export function namespacesOf(
  view: StateView | undefined,
  { id }: Pick<SourceScope, 'id'>,
  { said, frozen, aborted }: NamespaceFiles,
): ReadonlyMap<string, Namespace> {
  const kept = [...frozen.map(({ path }) => path), ...aborted].flatMap((path) => view?.namespaces.get(path.split('/')[1]!) ?? [])
  const others = view?.namespaces.all().filter(({ Name }) => {
    return claimOwner(view, { kind: 'namespace', namespace: Name, path: '' }) !== id
  })
  const all = [...(others ?? []), ...kept, ...said.map(({ namespace }) => namespace)]
  return new Map(all.map((namespace) => [namespace.Name, namespace]))
}

/** Mistakes of a job of that namespace that is sound by itself. */
export type JobRules = (namespace: string, needs: JobNeeds, path: string) => readonly Mistake[]

/** What namespaces and the source do not let jobs be; undefined where they forbid nothing. */
export function jobRules(
  namespaces: ReadonlyMap<string, Namespace>,
  { id, limits }: Pick<SourceScope, 'id' | 'limits'>,
): JobRules | undefined {
  const strict = new Map([...namespaces].filter(([, row]) => row.Capabilities !== null || row.NodePoolConfiguration !== null))
  if (strict.size === 0 && limits === undefined) return undefined
  return (namespace, needs, path) => [
    ...limitMistakes(namespace, needs, path, { id, limits }),
    ...namespaceMistakes(needs, path, strict.get(namespace)),
  ]
}

export function enforceRules(
  view: StateView,
  rules: JobRules | undefined,
  { unchanged, read }: SourceReadings,
): { readonly read: SourceReadings['read']; readonly frozen: readonly FrozenFile[] } {
  if (rules === undefined) return { read, frozen: [] }
  const frozen: FrozenFile[] = []
  for (const [key, { path, inputs, namespace, jobId, order }] of unchanged) {
    const job = view.jobs.get(key)
    const mistakes = job === undefined ? [] : rules(namespace, needsOf(job, order), path)
    if (mistakes.length > 0) frozen.push({ path, blob: inputs[0]?.blob ?? '', namespace, jobId, ...bundleMember(order?.bundle), mistakes })
  }
  return { read: read.map((reading) => enforced(reading, rules)), frozen }
}

function enforced(reading: FileReading, rules: JobRules): FileReading {
  if (reading.kind !== 'job') return reading
  const { path, blob, job, order } = reading
  const mistakes = rules(job.Namespace, needsOf(job, order), path)
  if (mistakes.length === 0) return reading
  return { kind: 'mistakes', path, blob, mistakes, names: { namespace: job.Namespace, jobId: job.ID, ...bundleMember(order?.bundle) } }
}

/** @param namespace undefined: it forbids nothing */
export function namespaceMistakes(
  needs: Pick<JobNeeds, 'nodePool' | 'tasks'>,
  path: string,
  namespace: Namespace | undefined,
): readonly Mistake[] {
  if (namespace === undefined) return []
  const detail = `That is what ${JOBS_FOLDER}/${namespace.Name}/_namespace.hcl says. Change the job, or have the namespace allow it.`
  return namespaceProblems(needs, namespace).map((summary) => mistakeOfFile(path, summary, detail))
}
