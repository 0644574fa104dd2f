/** A whole file to the job as its author wrote it: variables, locals, and then the job block. */
import type { Evaluation, Scope } from '../hcl/evaluation.js'
import { resolveLocals } from '../hcl/locals.js'
import { objectValue, type Value } from '../hcl/values.js'
import { resolveVariables } from '../hcl/variables.js'
import type { JsonNode, Syntax } from '../syntax.js'
import { decodeApiJob } from './api-form.js'
import type { ApiJob } from './api-job.js'
import { type Block, type Body, type BodySchema, contentOf } from './body.js'
import { decodeJobBlock } from './decode-job.js'
import { onlyBlock } from './struct.js'

export interface FileInputs {
  readonly variableFiles: readonly Syntax[]
  readonly variables: Readonly<Record<string, string>>
  readonly environment: Readonly<Record<string, string>>
  readonly isStrict: boolean
  /** Where values belong, for people. */
  readonly valuesFile: string | undefined
}

const TOP: BodySchema = {
  attributes: new Set(),
  blocks: new Map([
    ['variables', []],
    ['variable', ['name']],
    ['locals', []],
    ['job', ['name']],
  ]),
  expandsDynamic: false,
}

/** `undefined` when there are faults. */
export function decodeFile(evaluation: Evaluation, syntax: Syntax, inputs: FileInputs): ApiJob | undefined {
  if (syntax.kind !== 'hcl' && isApiForm(syntax.root)) return decodeApiJob(evaluation, syntax, syntax.root)
  const names = new Map<string, Value>([
    ['var', objectValue([])],
    ['local', objectValue([])],
  ])
  const scope: Scope = { source: { path: syntax.path, text: syntax.text }, names, parent: undefined }
  const body = topBody(evaluation, syntax, scope)
  if (body === undefined) return undefined
  const { blocks } = contentOf(evaluation, body, TOP)
  if (evaluation.faults.length > 0) return undefined
  const files = inputs.variableFiles.flatMap((file) => variablesBody(evaluation, file))
  names.set('var', resolveVariables(evaluation, blocks, { ...inputs, values: inputs.variables, files }))
  if (evaluation.faults.length > 0) return undefined
  resolveLocals(
    evaluation,
    blocks.filter((block) => block.type === 'locals'),
    names,
  )
  const job = onlyJob(evaluation, blocks)
  if (job === undefined || evaluation.faults.length > 0) return undefined
  const decoded = decodeJobBlock(evaluation, job)
  return evaluation.faults.length > 0 ? undefined : decoded
}

function topBody(evaluation: Evaluation, syntax: Syntax, scope: Scope): Body | undefined {
  const missing = { start: 0, end: 0 }
  if (syntax.kind === 'hcl') return { kind: 'hcl', body: syntax.body, scope, missing }
  if (syntax.root.kind === 'object') return { kind: 'json', members: syntax.root.members, scope, missing }
  evaluation.fail(scope.source, syntax.root, 'Root value must be object', 'The root value in a file must be an object.')
  return undefined
}

function onlyJob(evaluation: Evaluation, blocks: readonly Block[]): Block | undefined {
  const job = onlyBlock(
    evaluation,
    blocks.filter((block) => block.type === 'job'),
  )
  if (job === undefined) evaluation.faults.push({ summary: 'Missing job block', detail: 'A job block is required: job "name" { … }.' })
  return job
}

/** A variables file holds nothing but `name = constant`. */
function variablesBody(evaluation: Evaluation, syntax: Syntax): Body[] {
  const scope: Scope = { source: { path: syntax.path, text: syntax.text }, names: new Map(), parent: undefined }
  const body = topBody(evaluation, syntax, scope)
  if (body === undefined) return []
  if (body.kind === 'hcl') {
    const block = body.body.items.find((item) => item.kind === 'block')
    if (block?.kind === 'block') {
      const detail = "A variables file sets values, by name = value; variables are declared in the job's file."
      evaluation.fail(
        scope.source,
        { start: block.start, end: block.start + block.type.length },
        'Unexpected block in a variables file',
        detail,
      )
      return []
    }
  }
  return [body]
}

/** `{"Job": {…}}`, or the job's own members at the top. */
function isApiForm(root: JsonNode): boolean {
  if (root.kind !== 'object') return false
  const names = new Set(root.members.map(({ name }) => name))
  if (names.has('job')) return false
  return names.has('Job') || names.has('ID') || names.has('TaskGroups')
}
