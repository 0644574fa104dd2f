/**
 * Asking for an act on a job: over the API where the server performs acts, and else by a commit whose trailer asks for it. The server is
 * asked first whether it would heed the trailer, so that no commit is made for nothing.
 */
import type { Client } from './client.js'
import { CommandError, type Io } from './command.js'
import { formatJson } from './json.js'
import { ownSource } from './own-source.js'
import type { CommitPlanAnswer, JobAnswer, SettingsAnswer } from './wire.js'

/** Commits in the repository that the command runs in, with the person's own git. */
export interface ActCommits {
  /** Whether the repository has this commit. */
  knows(commitId: string): Promise<boolean>
  /** @throws CommandError for a file that cannot be read */
  read(file: string): Promise<Uint8Array>
  /** The path of a file below the repository's top, as git writes it. @throws CommandError outside of it */
  pathOf(file: string): Promise<string>
  /**
   * Commits these files as they are now, and nothing else that is staged or changed. @returns the commit's id
   * @throws CommandError with git's words
   */
  commit(message: string, files: readonly string[]): Promise<string>
}

export interface TrailerAct {
  /** Of the commit. */
  readonly subject: string
  readonly trailer: { readonly key: string; readonly value: string }
  /** Files that the trailer names. */
  readonly files: readonly string[]
}

export async function performsActs(client: Client): Promise<boolean> {
  return (await client.get<SettingsAnswer>('/drover/v1/settings')).writes === 'runtime'
}

/** As trailers name it. @throws CommandError for a job that is not there */
export async function trailerNameOf(jobId: string, client: Client): Promise<string> {
  const { ID, Namespace } = await client.get<JobAnswer>(`/v1/job/${encodeURIComponent(jobId)}`)
  return `${Namespace}/${ID}`
}

export const ACT_JSON_OPTION = ['--json', 'an object with the job, or with the commit and its trailer', false] as const

/** What has come of it, where the server performs acts. */
export function tellJob(job: string, isJson: boolean, io: Io): void {
  io.out(isJson ? formatJson({ job }) : `${job}\n`)
}

/** @throws CommandError where the server would not heed the trailer */
export async function commitAct(act: TrailerAct, commits: ActCommits, client: Client, isJson: boolean, io: Io): Promise<void> {
  const { subject, trailer, files } = act
  const source = await ownSource(client, undefined, (id) => commits.knows(id))
  const from = source === undefined ? {} : { source: source.id }
  const question = { ...from, isWhole: false, leaves: null, isShallow: false, trailers: [trailer], jobs: [], unsound: [], agents: null }
  const { ignored } = await client.put<CommitPlanAnswer>('/drover/v1/plan', question)
  if (ignored.length > 0) throw new CommandError(ignored.join('\n'))
  const id = await commits.commit(`${subject}\n\n${trailer.key}: ${trailer.value}\n`, files)
  const written = `${trailer.key}: ${trailer.value}`
  io.out(isJson ? formatJson({ commit: id, trailer: written }) : `${id}\n`)
  const ref = source === undefined || source.ref === 'HEAD' ? 'the server' : `${source.ref}, which the server follows`
  io.err(`committed "${written}"; it is done once this commit has reached ${ref}\n`)
}
