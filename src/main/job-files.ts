/** Job files of a work tree or of a commit, read by the same code as the server's. */
import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { CliGitSource } from '../adapters/git/git-source.js'
import { WorkTree } from '../adapters/git/work-tree.js'
import { InProcessSyntaxReader } from '../adapters/hcl-syntax/index.js'
import { CommandError } from '../cli/command.js'
import type {
  DeclarationReading,
  FileMistake,
  JobFileReading,
  JobFiles,
  JobFilesRequest,
  StrayFile,
  TreeReading,
} from '../cli/job-files.js'
import {
  AGENTS_FOLDER,
  AgentsFolderReader,
  checkDependencies,
  classifyPath,
  findHiddenJobs,
  isNamespaceFile,
  JOBS_FOLDER,
  type JobFileOptions,
  NamespaceFilesReader,
  namespaceMistakes,
  namespacesOf,
  needsOf,
  nodePoolsIn,
  readHistory,
  readJobFile,
  SourceTree,
  type SyntaxReader,
  summarizeTree,
  type TreeHistory,
  VARIABLES_FOLDER,
  VariablesFolderReader,
  WORK_TREE_HISTORY,
} from '../controller/index.js'
import {
  type Job,
  type JobOrder,
  type Mistake,
  mistakeOfFile,
  type Namespace,
  namespacedKey,
  parseNamespacedKey,
  SOURCE_DEFAULT,
} from '../domain/index.js'
import { formatMistake, instanceAt, OVERLAY_NAME, templatePaths } from '../jobspec/index.js'
import { findRoot } from './repository-root.js'
import { findStrays } from './stray-files.js'

/** A tree, and which of its files are to be read: jobs, each with the namespace that its folder means, and what lies in `agents/`. */
interface Selection {
  readonly tree: SourceTree
  readonly files: readonly { readonly path: string; readonly namespace: string | undefined }[]
  readonly isWanted: (path: string) => boolean
}

const ANY = () => true
const SEEN_NEARBY_MAX = 1_000

export class LocalJobFiles implements JobFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async read({ paths, ref, overlay, isOnlyShown = false }: JobFilesRequest): Promise<readonly JobFileReading[]> {
    const syntax = new InProcessSyntaxReader()
    const readSelected = async (selections: readonly Selection[]) => {
      const readings: JobFileReading[] = []
      for (const selection of selections) readings.push(...(await readAll(selection, syntax, { isOnlyShown, overlay })))
      return refuseDependencies(refuseDuplicates(readings), ref !== undefined || paths.length === 0)
    }
    try {
      if (ref !== undefined) return await this.#inCommit(ref, (selection) => readSelected([selection]))
      return await readSelected(await this.#selectInWorkTree(paths))
    } finally {
      await syntax.close()
    }
  }

  async summarize(request: {
    readonly paths: readonly string[]
    readonly ref?: string
    readonly overlay?: string
    readonly appliedCommit: string | null
  }): Promise<TreeReading> {
    const { paths, ref, overlay, appliedCommit } = request
    const isWhole = paths.length === 0
    const syntax = new InProcessSyntaxReader()
    const summarizeSelected = async (selections: readonly Selection[], history: TreeHistory): Promise<TreeReading> => {
      const readings: JobFileReading[] = []
      for (const selection of selections) readings.push(...(await readAll(selection, syntax, { isOnlyShown: false, overlay })))
      if (!isWhole) return { readings, otherMistakes: [], summary: summarizeTree(readings, null, history, isWhole) }
      const { tree } = selections[0]!
      const agents = await new AgentsFolderReader(syntax).read(tree)
      const others = [agents, await new NamespaceFilesReader(syntax).read(tree), await new VariablesFolderReader().read(tree)]
      const otherMistakes = others.flatMap(({ frozen }) => frozen.flatMap(({ mistakes }) => mistakes.map(describe)))
      return { readings, otherMistakes, summary: summarizeTree(readings, agents, history, isWhole) }
    }
    try {
      if (ref === undefined) {
        const hasLostJobs = isWhole && !existsSync(join(this.#root(), JOBS_FOLDER)) && (await this.#hadJobs())
        const selections = hasLostJobs ? [await selectAll(this.#root())] : await this.#selectInWorkTree(paths)
        return await summarizeSelected(selections, WORK_TREE_HISTORY)
      }
      return await this.#inCommit(ref, async (selection, git) =>
        summarizeSelected([selection], await readHistory(git, (await git.resolve()).id, appliedCommit)),
      )
    } finally {
      await syntax.close()
    }
  }

  async knows(commitId: string): Promise<boolean> {
    const git = await CliGitSource.open({ repository: this.#root(), ref: 'HEAD' })
    try {
      return (await git.idOf(commitId)) !== undefined
    } finally {
      await git.close()
    }
  }

  async findStrays({ paths }: { readonly paths: readonly string[] }): Promise<readonly StrayFile[]> {
    const strays: StrayFile[] = []
    const selections = await this.#selectInWorkTree(paths)
    for (const [at, { tree, isWanted }] of selections.entries()) {
      const given = paths[at]
      const isNamed = given !== undefined && statSync(resolve(this.#folder, given)).isFile()
      for (const stray of await findStrays(tree, isWanted)) strays.push({ ...stray, isNamed })
    }
    return strays
  }

  async readDeclarations({ paths }: { readonly paths: readonly string[] }): Promise<readonly DeclarationReading[]> {
    const syntax = new InProcessSyntaxReader()
    try {
      const readings: DeclarationReading[] = []
      for (const { tree, isWanted } of await this.#selectInWorkTree(paths)) {
        const read = [await new AgentsFolderReader(syntax).read(tree), await new NamespaceFilesReader(syntax).read(tree)]
        const variables = await new VariablesFolderReader().read(tree)
        const aborted = read.flatMap((folder) => folder.aborted)
        if (aborted.length > 0) throw new CommandError(`${aborted.join(', ')} could not be read`)
        const frozen = [...read.flatMap((folder) => folder.frozen), ...variables.frozen]
        const mistakes = new Map(frozen.map((file) => [file.path, file.mistakes.map(describe)]))
        for (const { path } of tree.entries)
          if ((isDeclaration(path) || mistakes.has(path)) && isWanted(path)) {
            const warnings = variables.warnings.flatMap((warning) => (warning.path === path ? [warning.text] : []))
            readings.push({ path, mistakes: mistakes.get(path) ?? [], warnings })
          }
      }
      return readings
    } finally {
      await syntax.close()
    }
  }

  /** What is read of a commit is fetched as it is asked for, so git stays at hand until the work is done. */
  async #inCommit<Result>(ref: string, work: (selection: Selection, git: CliGitSource) => Promise<Result>): Promise<Result> {
    const git = await CliGitSource.open({ repository: this.#root(), ref })
    try {
      const { id } = await git.resolve()
      const tree = new SourceTree(git, await git.list(id))
      await tree.prefetch(tree.list(JOBS_FOLDER))
      return await work({ tree, files: jobsOf(tree, ANY), isWanted: ANY }, git)
    } finally {
      await git.close()
    }
  }

  async #selectInWorkTree(paths: readonly string[]): Promise<readonly Selection[]> {
    if (paths.length === 0) {
      const root = this.#root()
      if (!existsSync(join(root, JOBS_FOLDER)))
        throw new CommandError(`${root} has no folder jobs; put job files there, as in jobs/hello.nomad.hcl`)
      return [await selectAll(root)]
    }
    return Promise.all(paths.map((path) => this.#selectPath(path)))
  }

  /** Inside the repository a path means what it means to the server; outside, a file stands for itself. */
  async #selectPath(given: string): Promise<Selection> {
    const path = resolve(this.#folder, given)
    if (!existsSync(path)) throw new CommandError(`${given} is not there`)
    const isFolder = statSync(path).isDirectory()
    const root = findRoot(isFolder ? path : dirname(path))
    if (root !== undefined) {
      const tree = await openWorkTree(root)
      const inRoot = relative(root, path).split(sep).join('/')
      const isWanted = (file: string) => file === inRoot || inRoot === '' || file.startsWith(`${inRoot}/`) || isMadeFrom(file, inRoot)
      const isAmongJobs = ['', JOBS_FOLDER].includes(inRoot.split('/')[0]!)
      // What git ignores and was named all the same stands for itself.
      if (isFolder || tree.has(inRoot)) return { tree, files: isAmongJobs ? jobsOf(tree, isWanted) : namedAsJobs(tree, isWanted), isWanted }
    }
    // What a file reads lies beside it or not far below; its folder may be somebody's home.
    const tree = isFolder ? await openWorkTree(path) : await openWorkTree(dirname(path), SEEN_NEARBY_MAX)
    const isWanted = (file: string) => isFolder || file === basename(path) || isMadeFrom(file, basename(path))
    return { tree, files: namedAsJobs(tree, isWanted), isWanted }
  }

  /** A commit without the folder is one that removes every job. */
  #hadJobs(): Promise<boolean> {
    return this.#inCommit('HEAD', async ({ tree }) => tree.list(JOBS_FOLDER).length > 0)
  }

  #root(): string {
    const root = findRoot(this.#folder)
    if (root !== undefined) return root
    throw new CommandError(`${this.#folder} is in no git repository; change to one, or name the files`)
  }
}

async function selectAll(root: string): Promise<Selection> {
  const tree = await openWorkTree(root)
  return { tree, files: jobsOf(tree, ANY), isWanted: ANY }
}

async function openWorkTree(root: string, seenMax?: number): Promise<SourceTree> {
  const workTree = new WorkTree(root)
  return new SourceTree(workTree, await workTree.list(seenMax))
}

function jobsOf(tree: SourceTree, isWanted: (path: string) => boolean): Selection['files'] {
  return tree.entries.flatMap(({ path }) => {
    const kind = classifyPath(path)
    return kind.kind === 'job' && isWanted(path) ? [{ path, namespace: kind.namespace }] : []
  })
}

/** Outside `jobs/` a folder means no namespace. */
function namedAsJobs(tree: SourceTree, isWanted: (path: string) => boolean): Selection['files'] {
  return tree.entries.flatMap(({ path }) => (isWanted(path) && isJobName(path) ? [{ path, namespace: undefined }] : []))
}

/** Whether the file holds the values of a job that this template makes. */
function isMadeFrom(file: string, template: string): boolean {
  const instance = instanceAt(file)
  return instance !== undefined && templatePaths(instance).includes(template)
}

function isJobName(path: string): boolean {
  return classifyPath(`jobs/${basename(path)}`).kind === 'job'
}

/** Where no host is declared nothing is known of pools. */
function knownPools(tree: SourceTree): ReadonlySet<string> | undefined {
  return tree.list(AGENTS_FOLDER).length === 0 ? undefined : nodePoolsIn(tree.entries)
}

function isDeclaration(path: string): boolean {
  const isSettings = [AGENTS_FOLDER, VARIABLES_FOLDER].some((folder) => path.startsWith(`${folder}/`))
  return isNamespaceFile(path) || (isSettings && classifyPath(path).kind !== 'other')
}

/** The same job in two files is two readings here. */
async function readAll(
  { tree, files, isWanted }: Selection,
  syntax: SyntaxReader,
  { isOnlyShown, overlay }: { readonly isOnlyShown: boolean; readonly overlay: string | undefined },
): Promise<readonly JobFileReading[]> {
  if (overlay !== undefined && !OVERLAY_NAME.test(overlay))
    throw new CommandError(`"${overlay}" is no name of an overlay: write letters, digits, "-" and "_", as in --overlay prod`)
  const nodePools = knownPools(tree)
  // Who only looks at a job does not run it.
  const namespaces = isOnlyShown
    ? undefined
    : namespacesOf(undefined, { id: SOURCE_DEFAULT }, await new NamespaceFilesReader(syntax).read(tree))
  const readings: JobFileReading[] = []
  for (const { entry, mistake } of findHiddenJobs(tree.entries))
    if (isWanted(entry.path)) readings.push({ kind: 'mistakes', path: entry.path, mistakes: [describe(mistake)] })
  for (const { path, namespace } of files) {
    const options = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(nodePools === undefined ? {} : { nodePools }),
      ...(overlay === undefined ? {} : { overlay }),
      ...(isOnlyShown ? {} : { support: {} }),
    }
    readings.push(enforced(await readOne(tree, path, options, syntax), namespaces))
  }
  return readings
}

function enforced(reading: JobFileReading, namespaces: ReadonlyMap<string, Namespace> | undefined): JobFileReading {
  if (reading.kind !== 'job') return reading
  const { path, namespace, id, job } = reading
  const mistakes = namespaceMistakes(needsOf(job as Job, undefined), path, namespaces?.get(namespace))
  return mistakes.length === 0 ? reading : { kind: 'mistakes', path, mistakes: mistakes.map(describe), names: { namespace, jobId: id } }
}

async function readOne(tree: SourceTree, path: string, options: JobFileOptions, syntax: SyntaxReader): Promise<JobFileReading> {
  const outcome = await readJobFile(path, tree, syntax, options)
  if (outcome.kind === 'aborted') throw new CommandError(`${path} could not be read: ${outcome.reason}`)
  if (outcome.kind === 'mistakes') return { kind: 'mistakes', path, mistakes: outcome.mistakes.map(describe), names: outcome.names }
  const { job, order, warnings } = outcome
  return { kind: 'job', path, namespace: job.Namespace, id: job.ID, job, order, warnings: [...warnings, ...warnOfName(path, job.ID)] }
}

function describe(mistake: Mistake): FileMistake {
  const { snippet: _, ...place } = mistake
  return { ...place, text: formatMistake(mistake) }
}

/** Names are free, but one that differs from the job's is looked for in vain. */
function warnOfName(path: string, id: string): readonly string[] {
  const stem = basename(path)
    .replace(/\.nomad(\.hcl|\.json|\.ya?ml)?$|\.vars\.hcl$/, '')
    .replace('@', '-')
  return stem === id ? [] : [`the file is named ${stem} and its job ${id}`]
}

/** What only all files together tell. */
function refuseDependencies(readings: readonly JobFileReading[], isWhole: boolean): readonly JobFileReading[] {
  if (!isWhole || readings.some((reading) => reading.kind === 'mistakes' && reading.names === undefined)) return readings
  const jobs = new Map(
    readings.flatMap((reading) => {
      if (reading.kind !== 'job') return []
      const { path, namespace, id, order } = reading
      return [[namespacedKey(namespace, id), { path, blob: '', order: order as JobOrder | undefined }] as const]
    }),
  )
  const mistaken = new Set(
    readings.flatMap((reading) =>
      reading.kind === 'mistakes' && reading.names !== undefined ? [namespacedKey(reading.names.namespace, reading.names.jobId)] : [],
    ),
  )
  // Those of a namespace that this repository has no job in may come from another source of the cluster.
  const here = new Set([...jobs.keys(), ...mistaken].map((key) => parseNamespacedKey(key)[0]))
  const isDefined = (key: string) => jobs.has(key) || mistaken.has(key) || !here.has(parseNamespacedKey(key)[0])
  const found = new Map(checkDependencies(jobs, isDefined).map((file) => [file.path, file.mistakes]))
  return readings.map((reading) => {
    const mistakes = found.get(reading.path)
    return mistakes === undefined ? reading : { kind: 'mistakes', path: reading.path, mistakes: mistakes.map(describe) }
  })
}

/** The same job twice: both files are wrong, as in the server. */
function refuseDuplicates(readings: readonly JobFileReading[]): readonly JobFileReading[] {
  const paths = new Map<string, string[]>()
  for (const reading of readings) {
    if (reading.kind !== 'job') continue
    const key = `${reading.namespace}/${reading.id}`
    paths.set(key, [...(paths.get(key) ?? []), reading.path])
  }
  return readings.map((reading) => {
    if (reading.kind !== 'job') return reading
    const others = paths.get(`${reading.namespace}/${reading.id}`)!.filter((path) => path !== reading.path)
    if (others.length === 0) return reading
    const mistake = mistakeOfFile(reading.path, 'Duplicate job', `Job "${reading.id}" is also defined in ${others.join(', ')}.`)
    const names = { namespace: reading.namespace, jobId: reading.id }
    return { kind: 'mistakes', path: reading.path, mistakes: [describe(mistake)], names }
  })
}
