/** Which job a file names, read from its syntax alone: known also where the job in it is refused or cannot be evaluated. */
import { bundleOf } from './companions.js'
import { instanceId, type JobInstance } from './job-place.js'
import type { Expression, HclBody, JsonNode, Syntax } from './syntax.js'

export interface JobName {
  readonly namespace: string
  readonly jobId: string
  /** The bundle that it is in; absent: none that can be read. */
  readonly bundle?: string
}

/**
 * @param namespace that the file's folder means
 * @returns undefined where the text does not say it in plain words
 */
export function nameOfJob(syntax: Syntax, namespace: string, instance?: JobInstance): JobName | undefined {
  const written = syntax.kind === 'hcl' ? idInHcl(syntax.body) : idInObject(syntax.root)
  if (written === undefined || written === '') return undefined
  const jobId = instance === undefined ? written : instanceId(written, instance)
  const bundle = bundleOf(syntax)
  return bundle === '' ? { namespace, jobId } : { namespace, jobId, bundle }
}

/** The label of the only job block, unless `id` in it says another. */
function idInHcl(body: HclBody): string | undefined {
  const jobs = body.items.flatMap((item) => (item.kind === 'block' && item.type === 'job' ? [item] : []))
  const [job] = jobs
  if (jobs.length !== 1 || job?.labels.length !== 1) return undefined
  const id = job.body.items.find((item) => item.kind === 'attribute' && item.name === 'id')
  return id?.kind === 'attribute' ? literalText(id.value) : job.labels[0]!.value
}

function literalText(expression: Expression): string | undefined {
  if (expression.kind === 'string') return expression.value
  return expression.kind === 'template' && expression.parts.length === 1 ? literalText(expression.parts[0]!) : undefined
}

/** `{"job": {"web": {…}}}`, `{"Job": {"ID": "web"}}` or `{"ID": "web"}`. */
function idInObject(root: JsonNode): string | undefined {
  const api = memberOf(root, 'Job') ?? root
  const id = memberOf(api, 'ID')
  if (id !== undefined) return textOf(id)
  const job = onlyItem(memberOf(root, 'job'))
  if (job?.kind !== 'object' || job.members.length !== 1) return undefined
  const [member] = job.members
  const said = memberOf(onlyItem(member!.value), 'id')
  return said === undefined ? member!.name : textOf(said)
}

function memberOf(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === 'object' ? node.members.find((member) => member.name === name)?.value : undefined
}

function onlyItem(node: JsonNode | undefined): JsonNode | undefined {
  return node?.kind === 'array' && node.items.length === 1 ? node.items[0] : node
}

/** An expression in a text is not evaluated here. */
function textOf(node: JsonNode): string | undefined {
  return node.kind === 'string' && !node.value.includes('${') ? node.value : undefined
}
