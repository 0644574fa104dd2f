/**
 * The one door from syntax to Job. Synchronous and pure: what is not there yet (texts of `file()`, variables files, the
 * patch) is asked for by `needs`, and the caller comes again with it. The same commit always gives the same Job.
 */
import type { Job, JobOrder, Mistake } from '../domain/index.js'
import { canonicalizeJob } from './canonicalize.js'
import { checkJob, poolProblems } from './check-job.js'
import { companionsOf } from './companions.js'
import { type ApiJob, textIn } from './decode/api-job.js'
import { decodeFile } from './decode/decode-file.js'
import { BudgetSpent, Evaluation, type FileTree, withinBudget } from './hcl/evaluation.js'
import { type OrderReading, takeJobOrder } from './job-order.js'
import { instanceId, type JobInstance } from './job-place.js'
import { LIMITS, type Limits } from './limits.js'
import { locateProblem } from './locate/locate-problem.js'
import { type Fault, MISTAKES_MAX, toMistakes } from './mistakes.js'
import { applyJobPatch } from './patch.js'
import { periodicWarnings } from './periodic-warnings.js'
import { readSupport, type SupportContext, type SupportReading } from './support/refusals.js'
import type { Syntax } from './syntax.js'
import type { Problem } from './validate/problem.js'

export interface ParseRequest {
  readonly syntax: Syntax
  /** Absent: functions that read files refuse, and no file beside the job is looked at. */
  readonly tree?: FileTree
  /** Texts that `needs.paths` asked for, by path. */
  readonly files?: ReadonlyMap<string, string>
  /** What `needs.syntaxPaths` asked for, by path. */
  readonly syntaxes?: ReadonlyMap<string, Syntax>
  /** Files that carry this name count, too. */
  readonly overlay?: string | undefined
  /** Which job of a template is meant. */
  readonly instance?: JobInstance | undefined
  /** More variables files, after those beside the job. */
  readonly variableFiles?: readonly Syntax[]
  /** Values as `-var name=value` gives them. */
  readonly variables?: Readonly<Record<string, string>>
  /** Values of lowest precedence; names that the job does not declare are ignored. */
  readonly environment?: Readonly<Record<string, string>>
  /** Values for undeclared variables are mistakes (default), or else warnings. */
  readonly isStrict?: boolean
  /** The namespace that the file's folder means: filled in when the text has none; another one in the text is a mistake. */
  readonly namespace?: string
  /** The pools that there are; absent: any may be asked for. */
  readonly nodePools?: ReadonlySet<string>
  readonly limits?: Limits
  /** What nobody would carry out is a mistake of the file too. Absent: only what makes it no job. */
  readonly support?: SupportContext
}

export type ParseOutcome =
  | {
      readonly kind: 'job'
      readonly job: Job
      readonly order?: JobOrder | undefined
      readonly warnings: readonly string[]
      readonly inputs: readonly string[]
    }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }
  | Needs

export type ApiParseOutcome =
  | { readonly kind: 'job'; readonly job: ApiJob; readonly warnings: readonly string[]; readonly inputs: readonly string[] }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }
  | Needs

const NOTHING_TOLD: SupportReading = { faults: [], warnings: [] }

export interface Needs {
  readonly kind: 'needs'
  /** Paths whose text is wanted in `files`. */
  readonly paths: readonly string[]
  /** Paths whose syntax is wanted in `syntaxes`. */
  readonly syntaxPaths: readonly string[]
}

/** The job as it would be stored, checked in full. */
export function parseJob(request: ParseRequest): ParseOutcome {
  const { syntax, limits = LIMITS } = request
  const parsed = parseApiJob(request)
  if (parsed.kind !== 'job') return parsed
  const { path } = syntax
  const canonical = canonicalizeJob(parsed.job)
  const companions = request.tree === undefined ? undefined : companionsOf(syntax, request.tree, request)
  const patches = companions?.patches ?? []
  const unread = patches.filter((patch) => request.syntaxes?.has(patch) !== true)
  if (unread.length > 0) return { kind: 'needs', paths: [], syntaxPaths: unread }
  let whole = canonical
  for (const patch of patches) {
    const patched = applyJobPatch(whole, request.syntaxes!.get(patch)!)
    if (patched.kind === 'mistakes') return patched
    whole = patched.job
  }
  const ordered = takeJobOrder(whole)
  const { job } = ordered
  const checked = checkJob(job, limits)
  const { support } = request
  const told = support === undefined ? NOTHING_TOLD : readSupport(syntax, job, parsed.job, support)
  const problems = [...checked.problems, ...poolProblems(job, request.nodePools), ...orderProblems(ordered, companions?.listed)]
  const own = support === undefined ? problems : problems.filter(({ isOfEdition }) => isOfEdition !== true)
  const count = own.length + told.faults.length
  if (count > 0) {
    const faults = [
      ...own.slice(0, MISTAKES_MAX).flatMap((problem) => locateProblem(syntax, problem)),
      ...told.faults.slice(0, MISTAKES_MAX),
    ]
    return { kind: 'mistakes', mistakes: toMistakes(faults, path, Math.max(0, count - MISTAKES_MAX)) }
  }
  const inputs = [...parsed.inputs, ...patches]
  const warnings = [...parsed.warnings, ...checked.warnings, ...told.warnings, ...periodicWarnings(job)]
  return { kind: 'job', job, ...(ordered.order === undefined ? {} : { order: ordered.order }), warnings, inputs }
}

/** @param listed variables files that were read; undefined: none are looked at */
function orderProblems({ problems, variableFiles }: OrderReading, listed: readonly string[] | undefined): readonly Problem[] {
  const unread = listed === undefined ? [] : variableFiles.filter((name) => !listed.includes(name))
  const text = (name: string) => `meta "drover": write "${name}" as plain text, since variables files are read before expressions are`
  return [...problems, ...unread.map((name) => ({ text: text(name) }))]
}

/** The job as its author wrote it, nothing filled in. */
export function parseApiJob(request: ParseRequest): ApiParseOutcome {
  const { syntax, tree, limits = LIMITS } = request
  const { path } = syntax
  const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
  const companions = tree === undefined ? { variables: [], faults: [] } : companionsOf(syntax, tree, request)
  if (companions.faults.length > 0) return mistakesOf(companions.faults, path)
  const missing = companions.variables.filter((file) => request.syntaxes?.has(file) !== true)
  if (missing.length > 0) return { kind: 'needs', paths: [], syntaxPaths: missing }
  const beside = companions.variables.flatMap((file) => request.syntaxes?.get(file) ?? [])
  const files = tree === undefined ? undefined : { tree, texts: request.files ?? new Map<string, string>(), folder }
  const evaluation = new Evaluation(limits, files)
  const inputs = {
    variableFiles: [...beside, ...(request.variableFiles ?? [])],
    variables: request.variables ?? {},
    environment: { ...request.environment, ...(request.instance === undefined ? {} : { [INSTANCE_VARIABLE]: request.instance.name }) },
    isStrict: request.isStrict ?? true,
    valuesFile: request.instance?.path,
  }
  const job = withinBudget(() => decodeFile(evaluation, syntax, inputs))
  if (job instanceof BudgetSpent) return mistakesOf([...evaluation.faults, job.fault], path)
  if (evaluation.needs.size > 0) return { kind: 'needs', paths: [...evaluation.needs], syntaxPaths: [] }
  if (job === undefined || evaluation.faults.length > 0) return mistakesOf(evaluation.faults, path)
  const placed = placeInNamespace(withInstance(job, request.instance), request.namespace)
  if ('fault' in placed) return mistakesOf([placed.fault], path)
  return {
    kind: 'job',
    job: placed.job,
    warnings: [...new Set(evaluation.warnings)],
    inputs: [...companions.variables, ...evaluation.used],
  }
}

function mistakesOf(faults: readonly Fault[], path: string): { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] } {
  return { kind: 'mistakes', mistakes: toMistakes(faults, path) }
}

/** Of a template, where it declares it: the name of the instance. */
const INSTANCE_VARIABLE = 'instance'

/** Each job of a template is called after its instance. */
function withInstance(job: ApiJob, instance: JobInstance | undefined): ApiJob {
  if (instance === undefined) return job
  const id = textIn(job, 'ID')
  const name = textIn(job, 'Name')
  return { ...job, ID: instanceId(id, instance), ...(name === '' || name === id ? { Name: instanceId(id, instance) } : {}) }
}

function placeInNamespace(job: ApiJob, expected: string | undefined): { readonly job: ApiJob } | { readonly fault: Fault } {
  if (expected === undefined) return { job }
  const given = textIn(job, 'Namespace')
  if (given === '' || given === expected) return { job: { ...job, Namespace: expected } }
  const detail = `The file lies in the folder of namespace "${expected}", but the job says namespace = "${given}". Move the file to jobs/${given}/, or leave the namespace out.`
  return { fault: { summary: 'Namespace differs from the folder', detail } }
}
