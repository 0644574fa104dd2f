/** `drover events`: what happens, as it happens. */
import type { Command } from 'commander'
import { addConnectionOptions, Client, type ConnectionOptions } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'

interface EventsOptions extends ConnectionOptions {
  readonly topic: readonly string[]
  readonly index?: string
  readonly json: boolean
}

interface EventLine {
  readonly Index?: number
  readonly Events?: readonly { readonly Topic: string; readonly Type: string; readonly Key: string; readonly Namespace: string }[]
}

export const eventsCommand: CommandModule = {
  name: 'events',
  usage: '[options]',
  summary: 'print what happened lately and what happens, until Ctrl-C',
  exitCodes: { 0: 'ended by Ctrl-C or by the server', 1: 'no server answers' },
  define(command: Command, io: Io, finish) {
    addConnectionOptions(command)
      .option(
        '--topic <topic[:key]>',
        'only these: Job, Evaluation, Allocation, Deployment, Node, Service, NodePool (repeatable)',
        collect,
        [],
      )
      .option('--index <index>', 'begin at this index')
      .option('--json', 'the lines as the API sends them, with payloads', false)
      .action((options: EventsOptions) => finish(printEvents(options, io)))
  },
}

function collect(topic: string, topics: readonly string[]): readonly string[] {
  return [...topics, topic]
}

async function printEvents(options: EventsOptions, io: Io): Promise<number> {
  if (options.index !== undefined && !/^\d+$/.test(options.index)) throw new CommandError(`--index takes a number, not ${options.index}`)
  const client = new Client(options, io)
  let rest = ''
  for await (const text of client.stream('/v1/event/stream', { topic: options.topic, index: options.index })) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines)
      if (line !== '' && line !== '{}') io.out(options.json ? `${line}\n` : describeLine(JSON.parse(line) as EventLine))
  }
  if (rest !== '') io.err(`${rest}\n`)
  return 0
}

function describeLine({ Index, Events }: EventLine): string {
  const rows = (Events ?? []).map(
    ({ Topic, Type, Key, Namespace }) =>
      `${Index}  ${Topic.padEnd(10)}  ${Type.padEnd(24)}  ${Namespace === '' ? '' : `${Namespace}/`}${Key}\n`,
  )
  return rows.join('')
}
