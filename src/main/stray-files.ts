/** Files below `jobs/` that look as if they were a job or belonged to one, and that nobody reads for it. */
import { basename } from 'node:path'
import { classifyPath, JOBS_FOLDER, type SourceTree } from '../controller/index.js'
import { companionNames, isCompanion, suggestName } from '../jobspec/index.js'

/** Of a file that is only named like settings; data that jobs read looks otherwise. */
const LOOKS_LIKE_JOB = /^\s*(job\s+"|job\s*:|Job\s*:|\{\s*"(job|Job)"\s*:)/m

interface Stray {
  readonly path: string
  readonly text: string
}

export async function findStrays(tree: SourceTree, isWanted: (path: string) => boolean): Promise<readonly Stray[]> {
  const jobs = tree.list(JOBS_FOLDER).filter((path) => classifyPath(path).kind === 'job')
  const owned = new Set(jobs.flatMap((path) => [path, ...companionNames(path)]))
  const strays: Stray[] = []
  for (const path of tree.list(JOBS_FOLDER)) {
    if (!isWanted(path) || owned.has(path) || owned.has(withoutOverlay(path)) || classifyPath(path).kind === 'job') continue
    if (classifyPath(path).kind === 'template') strays.push({ path, text: describeEmpty(path) })
    else if (isCompanion(path)) {
      if (!(await isNamed(tree, jobs, basename(path)))) strays.push({ path, text: describeOrphan(path, owned) })
    } else if (/\.(hcl|json|ya?ml)$/.test(path) && (await looksLikeJob(tree, path))) strays.push({ path, text: describeMisnamed(path) })
  }
  return strays
}

/** Jobs may list variables files of other names. */
async function isNamed(tree: SourceTree, jobs: readonly string[], name: string): Promise<boolean> {
  for (const job of jobs) {
    const file = await tree.read(job)
    if ('text' in file && file.text.includes(name)) return true
  }
  return false
}

function describeOrphan(path: string, owned: ReadonlySet<string>): string {
  const near = suggestName(
    basename(path),
    [...owned].map((each) => basename(each)),
  )
  return `it belongs to no job, since no job file beside it is called so${near === undefined ? '' : `; did you mean ${near}?`}`
}

/** `web.prod.vars.hcl` is of `web` in the overlay `prod`. */
function withoutOverlay(path: string): string {
  return path.replace(/\.[A-Za-z0-9_-]+(\.vars\.hcl|\.patch\.ya?ml)$/, '$1')
}

function describeEmpty(path: string): string {
  return `it makes no job, since no file with values lies beside it; one is called ${basename(path).replace(/@.*$/, '@NAME.vars.hcl')}`
}

function describeMisnamed(path: string): string {
  const name = basename(path)
  const [, stem = name, ending = ''] = /^(.*)(\.\w+)$/.exec(name) ?? []
  return `it looks like a job and is not read as one; job files are called ${stem}.nomad${ending}`
}

async function looksLikeJob(tree: SourceTree, path: string): Promise<boolean> {
  const file = await tree.read(path)
  return 'text' in file && LOOKS_LIKE_JOB.test(file.text)
}
