/** `drover dispatch JOB [--payload FILE] [--meta KEY=VALUE]`: a job is made from a parameterized one. */
import type { Command } from 'commander'
import { addConnectionOptions, Client, type ConnectionOptions } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import { resolve } from './resolve.js'
import { ACT_JSON_OPTION, type ActCommits, commitAct, performsActs, tellJob, trailerNameOf } from './trailer-act.js'

interface DispatchOptions extends ConnectionOptions {
  readonly payload?: string
  readonly meta: readonly string[]
  readonly idPrefix?: string
  readonly priority?: string
  readonly idempotencyToken?: string
  readonly json: boolean
}

/** What a job may be dispatched with. */
const PAYLOAD_BYTES_MAX = 16_384
const DISPATCHED = 'dispatched, or committed; also where the idempotency token has been used before'
const REFUSED = 'no such job, not parameterized, or not what it takes; nothing could be committed, or no server answers'

export function dispatchCommand(commits: ActCommits): CommandModule {
  return {
    name: 'dispatch',
    usage: '[options] <JOB>',
    summary: 'make a job from a parameterized one: at once where the server performs acts, else by a commit with a trailer',
    exitCodes: { 0: DISPATCHED, 1: REFUSED },
    completes: 'job',
    define(command: Command, io: Io, finish) {
      addConnectionOptions(command)
        .argument('<JOB>', 'the id of a parameterized job, or the beginning of one')
        .option('--payload <file>', 'what the job is given; committed with the trailer, where there is one')
        .option('--meta <key=value>', 'may be given several times', (pair: string, all: readonly string[]) => [...all, pair], [])
        .option('--id-prefix <prefix>', 'a part of the new id')
        .option('--priority <number>', 'of the new job, instead of its parent')
        .option('--idempotency-token <token>', 'dispatched once, however often it is asked for with this token')
        .option(...ACT_JSON_OPTION)
        .action((id: string, options: DispatchOptions) => finish(dispatch(id, options, commits, io)))
    },
  }
}

async function dispatch(text: string, options: DispatchOptions, commits: ActCommits, io: Io): Promise<number> {
  const client = new Client(options, io)
  const meta = readMeta(options.meta)
  const priority = readPriority(options.priority)
  const { id } = await resolve(text, ['job'], client)
  const payload = options.payload === undefined ? undefined : await commits.read(options.payload)
  if (payload !== undefined && payload.length > PAYLOAD_BYTES_MAX)
    throw new CommandError(`${options.payload} has ${payload.length} bytes; a job can be given ${PAYLOAD_BYTES_MAX}`)
  if (!(await performsActs(client))) {
    const path = options.payload === undefined ? undefined : await commits.pathOf(options.payload)
    const value = trailerValue(await trailerNameOf(id, client), [
      ['payload', path],
      ...[...meta].map(([key, word]) => [`meta.${key}`, word] as const),
      ['id_prefix', options.idPrefix],
      ['priority', priority === 0 ? undefined : String(priority)],
      ['token', options.idempotencyToken],
    ])
    const files = path === undefined ? [] : [path]
    await commitAct({ subject: `dispatch ${id}`, trailer: { key: 'Drover-Dispatch', value }, files }, commits, client, options.json, io)
    return 0
  }
  const body = {
    Payload: payload === undefined ? '' : Buffer.from(payload).toString('base64'),
    Meta: Object.fromEntries(meta),
    IdPrefixTemplate: options.idPrefix ?? '',
    Priority: priority,
  }
  const path = `/v1/job/${encodeURIComponent(id)}/dispatch`
  const answer = await client.put<{ readonly DispatchedJobID: string }>(path, body, { idempotency_token: options.idempotencyToken })
  tellJob(answer.DispatchedJobID, options.json, io)
  return 0
}

function readMeta(pairs: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new CommandError(`--meta ${pair} is not understood; write it as key=value`)
      return [pair.slice(0, at), pair.slice(at + 1)] as const
    }),
  )
}

function readPriority(text: string | undefined): number {
  if (text === undefined) return 0
  if (/^\d{1,3}$/.test(text) && Number(text) > 0) return Number(text)
  throw new CommandError(`--priority ${text} is not understood; give a number from 1 to 100`)
}

type Setting = readonly [name: string, value: string | undefined]

/** One line; values with spaces stand in quotes. @throws CommandError for what no trailer can say */
function trailerValue(job: string, settings: readonly Setting[]): string {
  const words = settings.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoted(name, value)}`]))
  return [job, ...words].join(' ')
}

function quoted(name: string, value: string): string {
  if (/["\r\n]/.test(`${name}${value}`) || /[\s=]/.test(name))
    throw new CommandError(`${name} holds a quote or a line break, or its name a space, which the trailer of a commit cannot carry`)
  return /\s/.test(value) ? `"${value}"` : value
}
