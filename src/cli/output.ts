/** In which form data is printed: for eyes, or for programs. */
import type { Command } from 'commander'
import { CommandError, type Io } from './command.js'
import { formatJson } from './json.js'

const FORMATS = ['table', 'wide', 'name', 'json', 'yaml'] as const
export type OutputFormat = (typeof FORMATS)[number]

export interface OutputOptions {
  readonly output?: string
  readonly json?: boolean
  readonly wide?: boolean
}

export function addOutputOptions(command: Command): Command {
  return command
    .option('-o, --output <format>', `${FORMATS.slice(0, -1).join(', ')} or ${FORMATS.at(-1)}`)
    .option('--wide', 'more columns, as -o wide', false)
    .option('--json', 'what the API answers, as -o json', false)
}

/** @throws CommandError for a form that is none */
export function formatOf({ output, json, wide }: OutputOptions): OutputFormat {
  if (json === true) return 'json'
  if (output === undefined) return wide === true ? 'wide' : 'table'
  const format = FORMATS.find((each) => each === output)
  if (format === undefined) throw new CommandError(`-o takes one of ${FORMATS.join(', ')}, not ${output}`)
  return format
}

/** For programs; answers false where the form is one for eyes. */
export async function printData(format: OutputFormat, data: unknown, names: readonly string[], io: Io): Promise<boolean> {
  if (format === 'json') io.out(formatJson(data))
  else if (format === 'yaml') io.out((await import('yaml')).default.stringify(data, { aliasDuplicateObjects: false }))
  else if (format === 'name') io.out(names.map((name) => `${name}\n`).join(''))
  else return false
  return true
}
