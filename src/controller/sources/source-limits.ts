/** What a source's files may not say (docs/gitops.md#several-sources): mistakes of these files, which leave what stood as it was. Pure. */
import { isCovered, type JobNeeds, type Mistake, mistakeOfFile, type SourceLimits } from '../../domain/index.js'
import type { SourceScope } from './source-scope.js'

/** What a source does not let a job of that namespace be, in words; all of it. */
export function limitProblems(
  namespace: string,
  { nodePool, priority, hostVolumes, tasks, hookNamespaces }: JobNeeds,
  limits: SourceLimits,
): readonly string[] {
  const problems: string[] = []
  const refuse = (what: string, names: readonly string[]) => problems.push(`${what}; ${allowedText(names)}`)
  if (!isAllowed(limits.namespaces, namespace)) refuse(namespaceText(namespace), limits.namespaces)
  if (!isAllowed(limits.nodePools, nodePool)) refuse(`node pool "${nodePool}" is not allowed to this source`, limits.nodePools)
  if (priority > limits.priorityMax) problems.push(`priority ${priority} is above ${limits.priorityMax}, the highest of this source`)
  for (const { name, source } of hostVolumes)
    if (!isAllowed(limits.hostVolumes, source))
      refuse(`volume "${name}" uses host volume "${source}", which is not allowed to this source`, limits.hostVolumes)
  for (const { name, driver, privileges } of tasks) {
    if (!isAllowed(limits.drivers, driver))
      refuse(`task "${name}" uses driver "${driver}", which is not allowed to this source`, limits.drivers)
    if (!limits.privileged) for (const what of privileges) problems.push(`task "${name}" ${what}, which only a privileged source may`)
  }
  for (const hooked of hookNamespaces)
    if (!isAllowed(limits.namespaces, hooked)) problems.push(`it is a hook of a job of another namespace: ${namespaceText(hooked)}`)
  return problems
}

export function namespaceText(namespace: string): string {
  return `namespace "${namespace}" is not one of this source`
}

/** None where the source may do everything. */
export function limitMistakes(
  namespace: string,
  needs: JobNeeds,
  path: string,
  { id, limits }: Pick<SourceScope, 'id' | 'limits'>,
): readonly Mistake[] {
  return limits === undefined ? [] : limitProblems(namespace, needs, limits).map((summary) => limitMistake(path, id, summary))
}

export function limitMistake(path: string, sourceId: string, summary: string): Mistake {
  const detail = `That is what the server's configuration says of the source "${sourceId}" (allow). Change the file, or have more allowed.`
  return mistakeOfFile(path, summary, detail)
}

/** Of names that may end in `*`. */
export function isAllowed(names: readonly string[], name: string): boolean {
  return names.some((allowed) => isCovered(name, allowed))
}

function allowedText(names: readonly string[]): string {
  return names.length === 0 ? 'none is' : `allowed: ${names.join(', ')}`
}
