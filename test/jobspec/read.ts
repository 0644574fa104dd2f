/** Reading jobs in tests: text in, outcome out, files as a plain object. */
import { InProcessSyntaxReader } from '../../src/adapters/hcl-syntax/index.js'
import { type JobFileOptions, type JobFileOutcome, readJobFile } from '../../src/controller/index.js'
import type { Job } from '../../src/domain/index.js'

const reader = new InProcessSyntaxReader()

export function treeOf(files: Readonly<Record<string, string>>) {
  return {
    has: (path: string) => Object.hasOwn(files, path),
    list: (folder: string) =>
      Object.keys(files)
        .filter((path) => folder === '' || path.startsWith(`${folder}/`))
        .sort(),
    blobOf: (path: string) => (Object.hasOwn(files, path) ? `blob of ${files[path]}` : path.endsWith('/') ? 'a listing' : ''),
    read: async (path: string) => ({ text: files[path] ?? '' }),
  }
}

export function readFiles(path: string, files: Readonly<Record<string, string>>, options: JobFileOptions = {}): Promise<JobFileOutcome> {
  return readJobFile(path, treeOf(files), reader, options)
}

export function readText(text: string, options: JobFileOptions = {}): Promise<JobFileOutcome> {
  return readFiles('jobs/web.nomad.hcl', { 'jobs/web.nomad.hcl': text }, options)
}

/** @throws Error with the mistakes */
export async function readJob(text: string, options: JobFileOptions = {}): Promise<Job> {
  const outcome = await readText(text, options)
  if (outcome.kind !== 'job') throw new Error(JSON.stringify(outcome))
  return outcome.job
}

/** `line: summary` of each mistake. */
export async function mistakesIn(text: string, options: JobFileOptions = {}): Promise<readonly string[]> {
  const outcome = await readText(text, options)
  if (outcome.kind !== 'mistakes') throw new Error(`expected mistakes, got ${outcome.kind}`)
  return outcome.mistakes.map(({ line, summary }) => `${line}: ${summary}`)
}

/** A job around the body of a task's `config`. */
export function withConfig(config: string): string {
  return `job "j" {\n  group "g" {\n    task "t" {\n      driver = "x"\n      config {\n${config}\n      }\n    }\n  }\n}\n`
}

/** A sound job around members of its group. */
export function withGroup(members: string): string {
  return `job "j" {\n  group "g" {\n${members}\n    task "t" {\n      driver = "x"\n    }\n  }\n}\n`
}
