/** `drover inspect ID`: the whole of one thing, as the API has it. */
import type { Command } from 'commander'
import { addConnectionOptions, addPastOption, Client, type ConnectionOptions } from './client.js'
import type { CommandModule, Io } from './command.js'
import { formatOf, type OutputOptions, printData } from './output.js'
import { KINDS, resolve } from './resolve.js'

interface InspectOptions extends ConnectionOptions, OutputOptions {}

export const inspectCommand: CommandModule = {
  name: 'inspect',
  usage: '[options] <ID>',
  summary: 'print the whole of one job, allocation, node, evaluation or deployment',
  exitCodes: { 0: 'printed', 1: 'not found, not unique, or no server answers' },
  completes: 'id',
  define(command: Command, io: Io, finish) {
    addPastOption(addConnectionOptions(command))
      .argument('<ID>', 'an id, the beginning of one, or the name of a node or an allocation')
      .option('-o, --output <format>', 'json, yaml or name', 'json')
      .option('--json', 'as -o json', false)
      .action((id: string, options: InspectOptions) => finish(inspect(id, options, io)))
  },
}

async function inspect(text: string, options: InspectOptions, io: Io): Promise<number> {
  const format = formatOf(options)
  const client = new Client(options, io)
  const { kind, id } = await resolve(text, KINDS, client)
  const data = await client.get<unknown>(`/v1/${kind}/${encodeURIComponent(id)}`)
  await printData(format === 'yaml' || format === 'name' ? format : 'json', data, [id], io)
  return 0
}
