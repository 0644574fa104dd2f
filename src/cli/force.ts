/** `drover force JOB`: a periodic job is launched now, besides its times. */
import type { Command } from 'commander'
import { addConnectionOptions, Client, type ConnectionOptions } from './client.js'
import type { CommandModule, Io } from './command.js'
import { resolve } from './resolve.js'
import { ACT_JSON_OPTION, type ActCommits, commitAct, performsActs, tellJob, trailerNameOf } from './trailer-act.js'
import type { EvaluationAnswer } from './wire.js'

interface ForceOptions extends ConnectionOptions {
  readonly json: boolean
}

export function forceCommand(commits: ActCommits): CommandModule {
  return {
    name: 'force',
    usage: '[options] <JOB>',
    summary: 'launch a periodic job now: at once where the server performs acts, else by a commit with a trailer',
    exitCodes: { 0: 'launched, or committed', 1: 'no such job, not periodic, nothing could be committed, or no server answers' },
    completes: 'job',
    define(command: Command, io: Io, finish) {
      addConnectionOptions(command)
        .argument('<JOB>', 'the id of a periodic job, or the beginning of one')
        .option(...ACT_JSON_OPTION)
        .action((id: string, options: ForceOptions) => finish(force(id, options, commits, io)))
    },
  }
}

async function force(text: string, options: ForceOptions, commits: ActCommits, io: Io): Promise<number> {
  const client = new Client(options, io)
  const { id } = await resolve(text, ['job'], client)
  if (!(await performsActs(client))) {
    const trailer = { key: 'Drover-Force', value: await trailerNameOf(id, client) }
    await commitAct({ subject: `launch ${id}`, trailer, files: [] }, commits, client, options.json, io)
    return 0
  }
  const { EvalID } = await client.put<{ readonly EvalID: string }>(`/v1/job/${encodeURIComponent(id)}/periodic/force`, {})
  tellJob((await client.get<EvaluationAnswer>(`/v1/evaluation/${EvalID}`)).JobID, options.json, io)
  return 0
}
