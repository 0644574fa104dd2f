/** `drover audit`: who did what and when, and what was refused. */
import type { Command } from 'commander'
import { addConnectionOptions, Client, type ConnectionOptions } from './client.js'
import type { CommandModule, Io } from './command.js'
import type { AuditEntryAnswer } from './wire.js'

interface AuditOptions extends ConnectionOptions {
  readonly follow: boolean
  readonly refused: boolean
  readonly action?: string
  readonly json: boolean
}

export const auditCommand: CommandModule = {
  name: 'audit',
  usage: '[options]',
  summary: 'tell who did what and when, and what was refused',
  exitCodes: { 0: 'told', 1: 'no server answers' },
  define(command: Command, io: Io, finish) {
    addConnectionOptions(command)
      .option('-f, --follow', 'stay, and tell what comes', false)
      .option('--refused', 'only what was refused', false)
      .option('--action <action>', 'only these, as in job-register')
      .option('--json', 'the lines as the API sends them', false)
      .action((options: AuditOptions) => finish(printAudit(options, io)))
  },
}

async function printAudit({ follow, refused, action, json, ...connection }: AuditOptions, io: Io): Promise<number> {
  const client = new Client(connection, io)
  const query = { follow: String(follow), outcome: refused ? 'refused' : undefined, action }
  let rest = ''
  for await (const text of client.stream('/drover/v1/audit', query)) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) io.out(json ? `${line}\n` : describe(JSON.parse(line) as AuditEntryAnswer))
  }
  return 0
}

function describe({ atMs, actor, action, subject, outcome, reason, repeats = 0 }: AuditEntryAnswer): string {
  const facts = Object.entries(subject).map(([name, value]) => `${name}=${value}`)
  const what = [action, ...facts, ...(outcome === 'refused' ? ['REFUSED'] : [])].join(' ')
  const why = reason === '' ? '' : `: ${reason}`
  const more = repeats === 0 ? '' : ` (and ${repeats} times more before)`
  return `${new Date(atMs).toISOString()}  ${describeActor(actor).padEnd(24)}  ${what}${why}${more}\n`
}

function describeActor(actor: AuditEntryAnswer['actor']): string {
  switch (actor.kind) {
    case 'commit':
      return `${actor.name} ${actor.commit.slice(0, 8)}`
    case 'api':
      return actor.address
    case 'host':
      return `host ${actor.name}`
    default:
      return 'server'
  }
}
