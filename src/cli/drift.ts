/** `drover drift [JOB]`: what differs from the repository, who made it differ, and what will become of it. */
import type { Command } from 'commander'
import { addConnectionOptions, addPastOption, Client, type ConnectionOptions } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import { formatJson } from './json.js'
import { formatAge } from './table.js'
import type { DriftAnswer } from './wire.js'

interface DriftOptions extends ConnectionOptions {
  readonly json: boolean
}

const CANNOT_TELL = 255
const OWNED = {
  git: '',
  scaler: ' (a scaler decides it, within the bounds of the file)',
  operator: ' (an operator decides it until its file says something new)',
}
const NANOSECONDS_PER_MS = 1e6

export const driftCommand: CommandModule = {
  name: 'drift',
  usage: '[options] [JOB]',
  summary: 'tell what differs from the repository, since when, by whom, and what will become of it',
  exitCodes: { 0: 'nothing differs', 1: 'something does', [CANNOT_TELL]: 'no server answers' },
  completes: 'job',
  define(command: Command, io: Io, finish) {
    addPastOption(addConnectionOptions(command))
      .argument('[JOB]', 'only of this job')
      .option('--json', 'for programs', false)
      .action((job: string | undefined, options: DriftOptions) => finish(printDrift(job, options, io)))
  },
}

async function printDrift(job: string | undefined, options: DriftOptions, io: Io): Promise<number> {
  try {
    const drift = await new Client(options, io).get<readonly DriftAnswer[]>('/drover/v1/drift', { job })
    if (options.json) io.out(formatJson(drift))
    else for (const text of describe(drift)) io.out(text)
    if (drift.length === 0) io.err('nothing differs from the repository\n')
    return drift.length === 0 ? 0 : 1
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), CANNOT_TELL)
  }
}

/** Fields of one cause together. */
function describe(drift: readonly DriftAnswer[]): readonly string[] {
  const causes = new Map<string, readonly DriftAnswer[]>()
  for (const each of drift) {
    const key = JSON.stringify([each.subject, each.actor, each.policy, each.next])
    causes.set(key, [...(causes.get(key) ?? []), each])
  }
  return [...causes.values()].map((fields) => {
    const { subject, actor, sinceMs, policy, next, owner } = fields[0]!
    const since = sinceMs === null ? '' : `, ${formatAge(sinceMs * NANOSECONDS_PER_MS, Date.now())} ago`
    const lines = fields.map(
      ({ field, wanted, actual }) => `  ${field === '' ? 'whole' : field}: ${actual ?? 'nothing'}, and should be ${wanted ?? 'gone'}\n`,
    )
    const owned = OWNED[owner]
    return `${nameOf(subject)}\n${lines.join('')}  by ${actor}${since}${owned}\n  ${policy}: ${next}\n`
  })
}

function nameOf(subject: DriftAnswer['subject']): string {
  switch (subject.kind) {
    case 'job':
      return subject.namespace === 'default' ? subject.jobId : `${subject.namespace}/${subject.jobId}`
    case 'host':
      return `host ${subject.name}`
    case 'file':
      return subject.path
    default:
      return `source ${subject.id}`
  }
}
