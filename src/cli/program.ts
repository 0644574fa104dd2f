/** Puts commands together to one program. Whatever goes wrong becomes one sentence on stderr and an exit code. */
import { Command, CommanderError } from 'commander'
import { CommandError, type CommandModule, type Io } from './command.js'

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
    .helpCommand(true)
  for (const module of commands) {
    const command = program.command(module.name).summary(module.summary).description(module.summary)
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
    const text = error.message.replace(/^error: /, '')
    io.err(`drover: ${text}; "drover ${args[0]?.startsWith('-') === false ? `${args[0]} ` : ''}--help" lists what there is\n`)
    return 1
  }
  io.err(`drover: ${error instanceof Error ? error.message : String(error)}\n`)
  return error instanceof CommandError ? error.exitCode : 1
}
