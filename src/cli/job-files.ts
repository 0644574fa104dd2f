/** Job files, read offline. Implemented in `main/`, where the jobspec engine and git are at hand. */
import type { Command } from 'commander'
import { CommandError, type CommandModule, type Io } from './command.js'
import { formatJson } from './json.js'
import { counted } from './table.js'

export type JobFileReading =
  | {
      readonly kind: 'job'
      readonly path: string
      readonly namespace: string
      readonly id: string
      readonly job: object
      /** When its changes are carried out; absent: at once. */
      readonly order?: object | undefined
      readonly warnings: readonly string[]
    }
  /** Each mistake as people read it: `file:line:column: what`, then the line with a caret. */
  | {
      readonly kind: 'mistakes'
      readonly path: string
      readonly mistakes: readonly FileMistake[]
      /** The job that the text names, where that can be read. */
      readonly names?: { readonly namespace: string; readonly jobId: string; readonly bundle?: string } | undefined
    }

/** What no job is: `agents/**`, `vars/**`, `_namespace.hcl`. */
export interface DeclarationReading {
  readonly path: string
  readonly mistakes: readonly FileMistake[]
  readonly warnings: readonly string[]
}

export interface FileMistake {
  readonly path: string
  readonly line: number
  readonly column: number
  readonly summary: string
  readonly detail: string
  /** How many more mistakes of the file this one stands for. */
  readonly more?: number
  readonly text: string
}

/** What it looks like, and what to do about it. */
export interface StrayFile {
  readonly path: string
  readonly text: string
  /** Asked for by its own name: whoever did so expects it to be read. */
  readonly isNamed: boolean
}

export interface JobFilesRequest {
  readonly paths: readonly string[]
  readonly ref?: string
  /** Files that carry this name count, too. */
  readonly overlay?: string
  /** What nobody would carry out is read too: for showing a job, not for running it. */
  readonly isOnlyShown?: boolean
}

/** A tree as a question to the server, with the jobs that it holds. The summary is sent as it is. */
export interface TreeReading {
  readonly readings: readonly JobFileReading[]
  /** Of files that are no jobs; none where only some files are read. */
  readonly otherMistakes: readonly FileMistake[]
  readonly summary: object
}

export interface JobFiles {
  /** Whether the repository that the command runs in has this commit. */
  knows(commitId: string): Promise<boolean>
  /**
   * Reads everything that a commit of this tree would say.
   * @param appliedCommit of the server; null: it has none
   */
  summarize(request: {
    readonly paths: readonly string[]
    readonly ref?: string
    readonly overlay?: string
    readonly appliedCommit: string | null
  }): Promise<TreeReading>
  /**
   * Reads files of the work tree (`ref` absent) or of a commit. No paths: every job file below `jobs/`.
   * @throws with a sentence for a path that is not there, for no repository, for an unknown ref
   */
  read(request: JobFilesRequest): Promise<readonly JobFileReading[]>
  /** Files that look as if they belonged to a job, and belong to none; of the work tree. */
  findStrays(request: { readonly paths: readonly string[] }): Promise<readonly StrayFile[]>
  /** The same for declarations of the work tree. */
  readDeclarations(request: { readonly paths: readonly string[] }): Promise<readonly DeclarationReading[]>
}

export function validateCommand(load: () => Promise<JobFiles>): CommandModule {
  return {
    name: 'validate',
    usage: '[options] [PATH...]',
    summary: 'check the files of the work tree, jobs and hosts, offline, and tell every mistake at once',
    exitCodes: { 0: 'sound', 1: 'not sound, or a path is not there' },
    completes: 'file',
    define(command: Command, io: Io, finish) {
      command
        .argument('[PATH...]', 'files or folders; without one, everything below jobs/ and agents/')
        .option(...OVERLAY_OPTION)
        .option('--json', 'for programs', false)
        .action((paths: readonly string[], options: ValidateOptions) => finish(load().then((files) => validate(files, paths, options, io))))
    },
  }
}

async function validate(files: JobFiles, paths: readonly string[], { json: asJson, ...options }: ValidateOptions, io: Io): Promise<number> {
  const readings = [...(await files.read({ paths, ...options })), ...(await files.readDeclarations({ paths }))]
  const strays = await files.findStrays({ paths })
  if (readings.length === 0 && strays.length === 0 && paths.length > 0)
    throw new CommandError(
      `${paths.join(', ')}: no job file and no host there; job files are called NAME.nomad.hcl, NAME.nomad.json or NAME.nomad.yaml`,
    )
  const named = strays.filter(({ isNamed }) => isNamed)
  if (named.length > 0) throw new CommandError(named.map(({ path, text }) => `${path}: ${text}`).join('\n'))
  const mistakes = readings.flatMap(mistakesOf)
  if (asJson)
    io.out(formatJson([...readings.map(describeReading), ...strays.map(({ path, text }) => ({ path, mistakes: [], warnings: [text] }))]))
  else {
    for (const mistake of mistakes) io.err(`${mistake.text}\n`)
    for (const { path, warnings } of readings.map(describeReading)) for (const warning of warnings) io.err(`${path}: warning: ${warning}\n`)
    for (const { path, text } of strays) io.err(`${path}: warning: ${text}\n`)
    const wrong = readings.filter((reading) => mistakesOf(reading).length > 0)
    const count = mistakes.reduce((sum, { more }) => sum + (more ?? 1), 0)
    io.err(
      mistakes.length === 0
        ? `${counted(readings.length, 'file')} sound\n`
        : `${counted(count, 'mistake')} in ${wrong.length} of ${counted(readings.length, 'file')}\n`,
    )
  }
  return mistakes.length === 0 ? 0 : 1
}

function mistakesOf(reading: JobFileReading | DeclarationReading): readonly FileMistake[] {
  return 'mistakes' in reading ? reading.mistakes : []
}

function describeReading(reading: JobFileReading | DeclarationReading) {
  const mistakes = mistakesOf(reading).map(({ text: _, ...mistake }) => mistake)
  if ('kind' in reading && reading.kind === 'job') {
    const { path, namespace, id, warnings } = reading
    return { path, namespace, id, mistakes, warnings }
  }
  return { path: reading.path, mistakes, warnings: 'warnings' in reading ? reading.warnings : [] }
}

export interface OverlayOption {
  readonly overlay?: string
}

interface ValidateOptions extends OverlayOption {
  readonly json: boolean
}

export const OVERLAY_OPTION = ['--overlay <name>', 'read files that carry this name too, as in web.prod.vars.hcl'] as const

export function renderCommand(load: () => Promise<JobFiles>): CommandModule {
  return {
    name: 'render',
    usage: '[options] <FILE>',
    summary: 'print the job of a file as the server would store it',
    exitCodes: { 0: 'printed', 1: 'not sound, or not there' },
    completes: 'file',
    define(command: Command, io: Io, finish) {
      command
        .argument('<FILE>')
        .option(...OVERLAY_OPTION)
        .option('--json', 'the only form there is; mistakes are told in it, too', false)
        .action((path: string, options: OverlayOption) => finish(load().then((files) => render(files, path, options, io))))
    },
  }
}

async function render(files: JobFiles, path: string, options: OverlayOption, io: Io): Promise<number> {
  const readings = await files.read({ paths: [path], isOnlyShown: true, ...options })
  if (readings.length > 1) throw new CommandError(`${path} makes several jobs; name one: ${readings.map((each) => each.path).join(', ')}`)
  const [reading] = readings
  if (reading === undefined)
    throw new CommandError(`${path} is no job file; job files end in .nomad.hcl, .nomad, .nomad.json, .nomad.yaml or .nomad.yml`)
  if (reading.kind === 'mistakes') throw new CommandError(reading.mistakes.map((mistake) => mistake.text).join('\n'))
  io.out(formatJson(reading.job))
  return 0
}
