/** Puts commands together to one program. Whatever goes wrong becomes one sentence on stderr and an exit code. */
import { Command, CommanderError } from 'commander'
import { CommandError, type CommandModule, type Io } from './command.js'
import { formatJson } from './json.js'

export interface ProgramOptions {
  readonly version: string
  readonly commands: readonly CommandModule[]
}

/** @returns the exit code */
export async function runProgram(args: readonly string[], io: Io, { version, commands }: ProgramOptions): Promise<number> {
  let exitCode = 0
  const finish = async (code: Promise<number>) => {
    exitCode = await code
  }
  const program = new Command('drover')
    .description('runs what a git repository says: commit job files, and the machines match them')
    .version(version)
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text), outputError: () => undefined })
    .exitOverride()
    // What stands behind the program of `exec` is the program's.
    .enablePositionalOptions()
    .helpCommand(true)
  for (const module of commands) {
    const command = program.command(module.name).summary(module.summary).description(module.summary)
    command.aliases([...(module.aliases ?? [])])
    command.usage(module.usage).addHelpText('after', formatExitCodes(module.exitCodes))
    command.copyInheritedSettings(program)
    module.define(command, io, finish)
  }
  if (args.length === 0) {
    io.out(program.helpInformation())
    return 1
  }
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    return explain(error, args, io)
  }
}

function formatExitCodes(codes: Readonly<Record<number, string>>): string {
  const lines = Object.entries(codes).map(([code, meaning]) => `  ${code.padEnd(4)} ${meaning}`)
  return `\nExit codes:\n${lines.join('\n')}`
}

function explain(error: unknown, args: readonly string[], io: Io): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    const text = error.message.replace(/^error: /, '').replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean $1?')
    const isOfCommand = error.code !== 'commander.unknownCommand' && args[0]?.startsWith('-') === false
    return tell(`${text}; "drover ${isOfCommand ? `${args[0]} ` : ''}--help" lists what there is`, 1, args, io)
  }
  const message = error instanceof Error ? error.message : String(error)
  return tell(message, error instanceof CommandError ? error.exitCode : 1, args, io)
}

/** In the form that was asked for, so that programs need not read sentences. */
function tell(message: string, exitCode: number, args: readonly string[], io: Io): number {
  const isForPrograms = args.includes('--json') || args.some((arg, at) => /^(-o|--output)$/.test(arg) && args[at + 1] === 'json')
  io.err(isForPrograms ? formatJson({ error: { message, exitCode } }) : `drover: ${message}\n`)
  return exitCode
}
