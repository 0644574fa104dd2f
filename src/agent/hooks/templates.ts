/**
 * Templates: the task waits until all of them have rendered once. Afterwards each change of what they read rewrites the file and does
 * what the template asks for (`change-modes.ts`). A template that is wrong fails the task.
 */
import { explainError, type Template } from '../../domain/index.js'
import type { Variables } from '../environment.js'
import {
  type Bytes,
  describeQuery,
  type Found,
  fromArray,
  type Query,
  type Rendering,
  renderTemplate,
  stringValue,
  toArray,
  toText,
  type Value,
} from '../template/index.js'
import { ChangeModes } from './change-modes.js'
import { readVariables } from './env-file.js'
import { type HookContext, type HookEnvironment, HookFailure, type HookRow, type TaskHook } from './hook.js'

/** How often people are told what is waited for. */
const TELL_MISSING_MS = 3_000
const MISSING_TOLD_MAX = 3
/** Changes that follow each other are rendered together: after so long a rest, or once the first has waited that long. */
const QUIET_MS = 50
const QUIET_MS_MAX = 400
const NANOSECONDS_PER_MS = 1e6
/** Rounds in which a template may ask for further files. */
const FILE_ROUNDS = 10

class Templates implements TaskHook {
  readonly #context: HookContext
  readonly #changes: ChangeModes
  /** What stands in each template's file, by position. */
  readonly #rendered = new Map<number, Bytes>()
  /** Files that templates read, as they were when they were last looked at. */
  readonly #files = new Map<string, Uint8Array | null>()
  #missing: readonly string[] = []
  #told = ''
  #isReady = false
  #isClosed = false
  #unwatch = () => {}
  #cancelQuiet = () => {}
  #cancelTold = () => {}
  #firstChangeMs: number | undefined
  /** Goes on with a task that waits. */
  #wake: (() => void) | undefined
  #isRendering: Promise<unknown> = Promise.resolve()

  constructor(context: HookContext) {
    this.#context = context
    this.#changes = new ChangeModes(context)
  }

  async prestart(signal: AbortSignal): Promise<void> {
    this.#changes.pause()
    if (this.#isReady && !this.#context.task().RestartPolicy.RenderTemplates) return
    this.#isReady = false
    this.#rendered.clear()
    const stop = () => this.#wake?.()
    signal.addEventListener('abort', stop, { once: true })
    this.#tellMissingLater()
    try {
      while (!(await this.#renderAll())) {
        if (signal.aborted || this.#isClosed) return
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
      this.#isReady = true
    } finally {
      this.#wake = undefined
      this.#cancelTold()
      signal.removeEventListener('abort', stop)
    }
  }

  running(): void {
    this.#changes.resume()
    if (this.#isReady) return
    // Found again after a restart of the agent: what the files hold was rendered in its life before.
    this.#isReady = true
    void this.#renderAgain()
  }

  environment(): HookEnvironment {
    const templates = this.#context.task().Templates ?? []
    const variables = [...this.#rendered].filter(([at]) => templates[at]?.Envvars === true).map(([, text]) => readVariables(toText(text)))
    return { template: Object.assign({}, ...variables) as Variables }
  }

  close(): void {
    this.#isClosed = true
    this.#unwatch()
    this.#cancelQuiet()
    this.#cancelTold()
    this.#changes.pause()
    this.#wake?.()
  }

  #onData(): void {
    if (this.#wake !== undefined) return this.#wake()
    const { clock } = this.#context
    const waits = (this.#context.task().Templates ?? []).map(({ Wait }) => Wait)
    const quietMs = Math.max(QUIET_MS, ...waits.map((wait) => (wait?.Min ?? 0) / NANOSECONDS_PER_MS))
    const longestMs = Math.max(QUIET_MS_MAX, ...waits.map((wait) => (wait?.Max ?? 0) / NANOSECONDS_PER_MS))
    this.#firstChangeMs ??= clock.monotonicMs()
    const leftMs = Math.max(0, this.#firstChangeMs + longestMs - clock.monotonicMs())
    this.#cancelQuiet()
    this.#cancelQuiet = clock.after(Math.min(quietMs, leftMs), () => {
      this.#firstChangeMs = undefined
      void this.#renderAgain()
    })
  }

  async #renderAgain(): Promise<void> {
    if (this.#isClosed || !this.#isReady) return
    try {
      // What stands in the files stays meanwhile.
      if (!(await this.#renderAll())) this.#tellMissing()
    } catch (error) {
      if (this.#isClosed) return
      const event = error instanceof TemplateProblem ? error.event : this.#killing(explainError(error))
      this.#context.post({ kind: 'fail', event })
    }
  }

  /** One rendering at a time. Yields whether every template has been rendered. */
  #renderAll(): Promise<boolean> {
    const next = this.#isRendering.then(() => this.#renderEach())
    this.#isRendering = next.catch(() => {})
    return next
  }

  async #renderEach(): Promise<boolean> {
    const asked: Query[] = []
    const missing = new Set<string>()
    this.#files.clear()
    for (const [at, template] of (this.#context.task().Templates ?? []).entries()) {
      if (template.Once && this.#rendered.has(at)) continue
      const rendering = await this.#render(template)
      if (rendering.kind === 'failure') throw this.#problem(template, rendering)
      asked.push(...rendering.asked)
      if (rendering.kind === 'text') {
        if (rendering.isSecret) this.#refuseOpenPlace(template)
        await this.#put(at, template, rendering.text)
      } else for (const query of rendering.missing) missing.add(this.#describe(query))
    }
    this.#missing = [...missing].sort()
    this.#unwatch()
    this.#unwatch = this.#isClosed ? () => {} : this.#context.data.watch(asked, () => this.#onData())
    return missing.size === 0
  }

  async #render(template: Template): Promise<Rendering> {
    const { clock, allocation, task, environment, data, ports } = this.#context
    const { variables } = environment()
    const text = await this.#textOf(template)
    const source = { text, left: template.LeftDelim, right: template.RightDelim, failsOnMissingKey: template.ErrMissingKey }
    const world = {
      environment: (name: string) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
      find: (query: Query) => (query.kind === 'file' ? this.#findFile(toText(query.path)) : data.find(query)),
      nowMs: clock.wallMs(),
      random: (size: number) => ports.stableRandom(`${allocation().ID}/${task().Name}/${template.DestPath}`, size),
    }
    for (let round = 0; ; round++) {
      const rendering = renderTemplate(source, world)
      const wanted =
        rendering.kind === 'missing' ? rendering.missing.flatMap((query) => (query.kind === 'file' ? [toText(query.path)] : [])) : []
      const unread = wanted.filter((path) => !this.#files.has(path))
      if (unread.length === 0 || round === FILE_ROUNDS) return rendering
      for (const path of unread) this.#files.set(path, await this.#readFile(path))
    }
  }

  async #textOf(template: Template): Promise<Bytes> {
    if (template.SourcePath === '') return fromArray(new TextEncoder().encode(template.EmbeddedTmpl))
    const path = this.#context.hostPath(template.SourcePath)
    try {
      return fromArray(await this.#context.ports.files.read(this.#context.directories.task, path))
    } catch (error) {
      throw new TemplateProblem(this.#killing(`failed to read template: ${explainError(error)}`))
    }
  }

  #findFile(path: string): Found<Value> {
    const content = this.#files.get(path)
    if (content === undefined) return { kind: 'unknown' }
    return content === null ? { kind: 'absent' } : { kind: 'value', value: stringValue(fromArray(content)) }
  }

  /** Only what lies in the task's folder: a template must not read the host. */
  async #readFile(path: string): Promise<Uint8Array | null> {
    const { ports, directories, hostPath } = this.#context
    return ports.files.read(directories.task, hostPath(path)).catch(() => null)
  }

  async #put(at: number, template: Template, text: Bytes): Promise<void> {
    const { ports, directories, hostPath, task } = this.#context
    if (this.#rendered.get(at) === text) return
    const owner = template.Uid === null && template.Gid === null ? task().User : `${template.Uid ?? 0}:${template.Gid ?? 0}`
    const path = hostPath(template.DestPath)
    const mode = Number.parseInt(template.Perms || '0644', 8)
    const isChanged = await ports.files.write({ root: directories.task, path, content: toArray(text), mode, owner })
    this.#rendered.set(at, text)
    if (isChanged && this.#isReady) this.#changes.add(template)
  }

  /** Everything else of an allocation's folder is read over the API. */
  #refuseOpenPlace({ DestPath }: Template): void {
    const { directories, hostPath } = this.#context
    const path = hostPath(DestPath)
    const inTask = path.startsWith(`${directories.task}/`) ? path.slice(directories.task.length + 1) : path.replace(/^\/+/, '')
    if (/^(?:\.\/)?secrets\/./.test(inTask) && !inTask.split('/').includes('..')) return
    throw new TemplateProblem(
      this.#killing(`${DestPath} would hold an encrypted value for all to read: let its destination be below secrets/`),
    )
  }

  #describe(query: Query): string {
    const found = query.kind === 'file' ? undefined : this.#context.data.find(query)
    const name = describeQuery(query, { namespace: this.#context.allocation().Namespace, region: this.#context.region })
    return found?.kind === 'unknown' && found.reason !== undefined ? `${name} (${found.reason})` : name
  }

  #tellMissingLater(): void {
    this.#cancelTold = this.#context.clock.after(TELL_MISSING_MS, () => {
      this.#tellMissing()
      this.#tellMissingLater()
    })
  }

  /** Once, as long as it is the same. */
  #tellMissing(): void {
    const { post, event } = this.#context
    const more = this.#missing.length - MISSING_TOLD_MAX
    const text =
      this.#missing.length === 0
        ? ''
        : `Missing: ${this.#missing.slice(0, MISSING_TOLD_MAX).join(', ')}${more > 0 ? `, and ${more} more` : ''}`
    if (text !== '' && text !== this.#told) post({ kind: 'note', event: event('Template', { fact: 'display_message', text }) })
    this.#told = text
  }

  #problem(template: Template, { message, line, column }: Extract<Rendering, { kind: 'failure' }>): TemplateProblem {
    const name = template.SourcePath === '' ? '(dynamic)' : template.SourcePath
    const isSyntax = column === undefined
    return new TemplateProblem(
      this.#killing(`${name}: ${isSyntax ? 'parse' : 'execute'}: template: :${line}${isSyntax ? '' : `:${column}`}: ${message}`),
    )
  }

  #killing(text: string) {
    return this.#context.event('Killing', { fact: 'display_message', text: `Template failed: ${text}` }, { fact: 'fails_task' })
  }
}

/** The task cannot have its templates: it fails for good, whatever its restart policy says. */
class TemplateProblem extends HookFailure {
  constructor(event: HookFailure['event']) {
    super(event, false, true)
  }
}

export const TEMPLATES: HookRow = {
  name: 'templates',
  runs: 'each-start',
  appliesTo: (task) => (task.Templates ?? []).length > 0,
  create: (context) => new Templates(context),
}
