/** The files that belong to a job's file: `*.vars.hcl` and `*.patch.yaml` of its stems, and what its `drover` meta lists. */
import type { FileTree } from './hcl/evaluation.js'
import { bundleIn, META_NAME, variableFilesIn } from './job-order.js'
import { type JobVariant, stemsOf } from './job-place.js'
import { type Fault, fault, suggestName } from './mistakes.js'
import type { Expression, HclBody, JsonNode, Span, Syntax } from './syntax.js'

export interface Companions {
  /** Variables files, in the order in which later ones win. */
  readonly variables: readonly string[]
  /** In the order in which they are applied. */
  readonly patches: readonly string[]
  /** Of `variables`, those that the `drover` meta names, as written. */
  readonly listed: readonly string[]
  readonly faults: readonly Fault[]
}

export function companionsOf(syntax: Syntax, tree: FileTree, variant: JobVariant): Companions {
  const [stem = '', ...others] = stemsOf(syntax.path, variant)
  const folder = syntax.path.includes('/') ? syntax.path.slice(0, syntax.path.lastIndexOf('/') + 1) : ''
  const faults: Fault[] = []
  const variables = [`${stem}.vars.hcl`].filter((path) => tree.has(path))
  const listed = listedIn(syntax)
  for (const name of listed?.names ?? []) {
    const path = normalize(folder + name)
    if (path !== undefined && tree.has(path)) variables.push(path)
    else faults.push(missing(syntax, listed?.span ?? { start: 0, end: 0 }, name, tree, folder))
  }
  variables.push(...others.map((other) => `${other}.vars.hcl`).filter((path) => tree.has(path)))
  const patches = [stem, ...others].map((each) => `${each}.patch.yaml`).filter((path) => tree.has(path))
  return { variables: [...new Set(variables)], patches, listed: listed?.names ?? [], faults }
}

function missing(syntax: Syntax, span: Span, name: string, tree: FileTree, folder: string): Fault {
  const files = tree.list(folder.replace(/\/$/, '')).filter((path) => path.endsWith('.vars.hcl'))
  const near = suggestName(
    name,
    files.map((path) => path.slice(folder.length)),
  )
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`
  return fault(
    syntax,
    span,
    'Variables file not found',
    `The job's meta "${META_NAME}" lists "${name}", which this commit does not have beside the job's file.${hint}`,
  )
}

function normalize(path: string): string | undefined {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) return undefined
  }
  return parts.join('/')
}

interface Listed {
  readonly names: readonly string[]
  readonly span: Span
}

/** The bundle that the file's text puts its job in, known also where the job is refused; empty: none that can be read. */
export function bundleOf(syntax: Syntax): string {
  return bundleIn(metaIn(syntax)?.text ?? '')
}

function listedIn(syntax: Syntax): Listed | undefined {
  const found = metaIn(syntax)
  return found === undefined ? undefined : { names: variableFilesIn(found.text), span: found.span }
}

/** The job's `meta.drover`, where it is plain text. */
function metaIn(syntax: Syntax): { text: string; span: Span } | undefined {
  return syntax.kind === 'hcl' ? literalOf(metaInHcl(syntax.body)) : metaInJson(syntax.root)
}

function metaInHcl(body: HclBody): Expression | undefined {
  const job = body.items.find((item) => item.kind === 'block' && item.type === 'job')
  if (job?.kind !== 'block') return undefined
  for (const item of job.body.items) {
    if (item.kind === 'block' && item.type === 'meta') {
      const attribute = item.body.items.find((inner) => inner.kind === 'attribute' && inner.name === META_NAME)
      if (attribute?.kind === 'attribute') return attribute.value
    }
    if (item.kind === 'attribute' && item.name === 'meta' && item.value.kind === 'object') {
      const entry = item.value.items.find(
        ({ key }) => (key.kind === 'traversal' && key.root === META_NAME) || literalOf(key)?.text === META_NAME,
      )
      if (entry !== undefined) return entry.value
    }
  }
  return undefined
}

function literalOf(expression: Expression | undefined): { text: string; span: Span } | undefined {
  if (expression?.kind !== 'template') return undefined
  const texts = expression.parts.map((part) => (part.kind === 'string' ? part.value : undefined))
  return texts.includes(undefined) ? undefined : { text: texts.join(''), span: expression }
}

function metaInJson(root: JsonNode): { text: string; span: Span } | undefined {
  const job = memberOf(root, 'Job') ?? firstMember(memberOf(root, 'job')) ?? root
  const meta = memberOf(job, 'Meta') ?? memberOf(job, 'meta')
  const value = meta === undefined ? undefined : memberOf(meta, META_NAME)
  return value?.kind === 'string' ? { text: value.value, span: value } : undefined
}

function memberOf(node: JsonNode, name: string): JsonNode | undefined {
  return node.kind === 'object' ? node.members.find((member) => member.name === name)?.value : undefined
}

function firstMember(node: JsonNode | undefined): JsonNode | undefined {
  return node?.kind === 'object' ? node.members[0]?.value : undefined
}
