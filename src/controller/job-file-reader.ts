/**
 * One job file, with everything it reads, to a Job: the loop around the pure parser that fetches what it asks for. The
 * reconciler, `validate`, `render`, `plan` and the parse endpoint all read through here.
 */
import { type JobSource, type Mistake, mistakeOfFile } from '../domain/index.js'
import { instanceAt, type JobInstance, LIMITS, type Limits, nameOfJob, parseJob, type Syntax, templatePaths } from '../jobspec/index.js'
import type { JobFileOptions, JobFileOutcome, JobFileTree, SyntaxReader } from './ports.js'
import { namespaceMistake } from './repository-layout.js'

type Step<Value> = { readonly kind: 'read'; readonly value: Value } | Exclude<JobFileOutcome, { kind: 'job' }>

export async function readJobFile(
  path: string,
  tree: JobFileTree,
  syntaxReader: SyntaxReader,
  options: JobFileOptions = {},
): Promise<JobFileOutcome> {
  return new JobFileReading(tree, syntaxReader, options).read(path)
}

/** Remembers what of the repository was looked at. */
class WatchedTree implements JobFileTree {
  readonly #tree: JobFileTree
  readonly #paths = new Set<string>()
  #isListed = false

  constructor(tree: JobFileTree) {
    this.#tree = tree
  }

  /** Undefined where it was looked through as a whole. */
  get inputs(): JobSource['inputs'] | undefined {
    return this.#isListed ? undefined : [...this.#paths].map((path) => ({ path, blob: this.#tree.blobOf(path) }))
  }

  has(path: string): boolean {
    this.#paths.add(path)
    return this.#tree.has(path)
  }

  list(folder: string): readonly string[] {
    if (folder === '') this.#isListed = true
    else this.#paths.add(folder.endsWith('/') ? folder : `${folder}/`)
    return this.#tree.list(folder)
  }

  blobOf(path: string): string {
    return this.#tree.blobOf(path)
  }

  read(path: string): ReturnType<JobFileTree['read']> {
    this.#paths.add(path)
    return this.#tree.read(path)
  }
}

class JobFileReading {
  readonly #tree: WatchedTree
  readonly #texts = new Map<string, string>()
  readonly #syntaxes = new Map<string, Syntax>()
  readonly #limits: Limits

  constructor(
    tree: JobFileTree,
    private readonly syntaxReader: SyntaxReader,
    private readonly options: JobFileOptions,
  ) {
    this.#tree = new WatchedTree(tree)
    this.#limits = options.limits ?? LIMITS
  }

  async read(path: string): Promise<JobFileOutcome> {
    const misplaced = this.options.namespace === undefined ? undefined : namespaceMistake(path)
    if (misplaced !== undefined) return this.#withInputs({ kind: 'mistakes', mistakes: [misplaced] })
    const instance = instanceAt(path)
    const main = instance === undefined ? path : this.#templateOf(instance)
    if (typeof main !== 'string') return this.#withInputs({ kind: 'mistakes', mistakes: [main] })
    const own = await this.#readSyntax(main)
    if (own.kind !== 'read') return this.#withInputs(own)
    const outcome = await this.#evaluate(main, own.value, instance)
    const { namespace } = this.options
    if (outcome.kind !== 'mistakes' || namespace === undefined) return this.#withInputs(outcome)
    return this.#withInputs({ ...outcome, names: nameOfJob(own.value, namespace, instance) })
  }

  #templateOf(instance: JobInstance): string | Mistake {
    const { path } = instance
    const templates = templatePaths(instance)
    const found = templates.filter((template) => this.#tree.has(template))
    if (found.length === 1) return found[0]!
    const summary = found.length === 0 ? 'values of a job without a template' : `there are ${found.length} templates: ${found.join(', ')}`
    const detail = found.length === 0 ? `Its template is called ${templates[0]}; add it, or rename this file.` : 'Keep one of them.'
    return mistakeOfFile(path, summary, detail)
  }

  #withInputs(outcome: JobFileOutcome): JobFileOutcome {
    return outcome.kind === 'mistakes' ? { ...outcome, inputs: this.#tree.inputs } : outcome
  }

  async #evaluate(path: string, syntax: Syntax, instance: JobInstance | undefined): Promise<JobFileOutcome> {
    for (;;) {
      const outcome = parseJob({ ...this.options, instance, syntax, tree: this.#tree, files: this.#texts, syntaxes: this.#syntaxes })
      if (outcome.kind === 'mistakes') return outcome
      if (outcome.kind === 'job') return { ...outcome, inputs: this.#inputsOf(path, outcome.inputs) }
      const fetched = await this.#gather(path, outcome.paths, outcome.syntaxPaths)
      if (fetched.kind !== 'read') return fetched
    }
  }

  async #gather(path: string, texts: readonly string[], syntaxes: readonly string[]): Promise<Step<undefined>> {
    if (this.#texts.size + texts.length + syntaxes.length > this.#limits.inputCountMax) {
      const detail = `The job reads more than ${this.#limits.inputCountMax} files.`
      return { kind: 'mistakes', mistakes: [mistakeOfFile(path, 'Too many files', detail)] }
    }
    for (const wanted of texts) {
      const read = await this.#readText(wanted)
      if (read.kind !== 'read') return read
    }
    for (const wanted of syntaxes) {
      const read = await this.#readSyntax(wanted)
      if (read.kind !== 'read') return read
    }
    return { kind: 'read', value: undefined }
  }

  async #readText(path: string): Promise<Step<string>> {
    const file = await this.#tree.read(path)
    if ('mistake' in file) return { kind: 'mistakes', mistakes: [file.mistake] }
    this.#texts.set(path, file.text)
    return { kind: 'read', value: file.text }
  }

  async #readSyntax(path: string): Promise<Step<Syntax>> {
    const text = await this.#readText(path)
    if (text.kind !== 'read') return text
    const outcome = await this.syntaxReader.read(path, text.value)
    if (outcome.kind !== 'syntax') return outcome
    this.#syntaxes.set(path, outcome.syntax)
    return { kind: 'read', value: outcome.syntax }
  }

  /** The job file first; each once. */
  #inputsOf(path: string, inputs: readonly string[]): JobSource['inputs'] {
    return [...new Set([path, ...inputs])].map((input) => ({ path: input, blob: this.#tree.blobOf(input) }))
  }
}
