/** Jobs that their namespace does not let be what they are: mistakes of their files, also where it is the namespace that has changed. */
import type { FrozenFile, Job, Mistake, Namespace } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import type { FileReading, SourceReadings } from '../desired-state.js'
import { bundleMember } from '../order/check-dependencies.js'
import { JOBS_FOLDER } from '../repository-layout.js'
import { namespaceProblems } from './namespace-changes.js'
import type { NamespaceFiles } from './namespaces-folder.js'

/**
 * The namespaces as this commit has them. One whose file has mistakes is what it last was.
 * @param known undefined: nothing is known of what they last were
 */
export function namespacesOf(
  known: StateView['namespaces'] | undefined,
  { said, frozen, aborted }: NamespaceFiles,
): ReadonlyMap<string, Namespace> {
  const kept = [...frozen.map(({ path }) => path), ...aborted].flatMap((path) => known?.get(path.split('/')[1]!) ?? [])
  return new Map([...kept, ...said.map(({ namespace }) => namespace)].map((namespace) => [namespace.Name, namespace]))
}

export function enforceNamespaces(
  view: StateView,
  namespaces: ReadonlyMap<string, Namespace>,
  { unchanged, read }: SourceReadings,
): { readonly read: SourceReadings['read']; readonly frozen: readonly FrozenFile[] } {
  const strict = [...namespaces.values()].filter(
    ({ Capabilities, NodePoolConfiguration }) => Capabilities !== null || NodePoolConfiguration !== null,
  )
  if (strict.length === 0) return { read, frozen: [] }
  const rules = new Map(strict.map((namespace) => [namespace.Name, namespace]))
  const frozen: FrozenFile[] = []
  for (const [key, { path, inputs, namespace, jobId, order }] of unchanged) {
    const job = view.jobs.get(key)
    const mistakes = job === undefined ? [] : namespaceMistakes(job, path, rules.get(namespace))
    if (mistakes.length > 0) frozen.push({ path, blob: inputs[0]?.blob ?? '', namespace, jobId, ...bundleMember(order?.bundle), mistakes })
  }
  return { read: read.map((reading) => enforced(reading, rules)), frozen }
}

function enforced(reading: FileReading, rules: ReadonlyMap<string, Namespace>): FileReading {
  if (reading.kind !== 'job') return reading
  const { path, blob, job, order } = reading
  const mistakes = namespaceMistakes(job, path, rules.get(job.Namespace))
  if (mistakes.length === 0) return reading
  return { kind: 'mistakes', path, blob, mistakes, names: { namespace: job.Namespace, jobId: job.ID, ...bundleMember(order?.bundle) } }
}

/** @param namespace undefined: it forbids nothing */
export function namespaceMistakes(
  job: Pick<Job, 'NodePool' | 'TaskGroups'>,
  path: string,
  namespace: Namespace | undefined,
): readonly Mistake[] {
  if (namespace === undefined) return []
  const detail = `That is what ${JOBS_FOLDER}/${namespace.Name}/_namespace.hcl says. Change the job, or have the namespace allow it.`
  return namespaceProblems(job, namespace).map((summary) => ({ path, line: 0, column: 0, summary, detail, snippet: '' }))
}
