#!/usr/bin/env node
/** The program `drover`: which command is meant, and the world it runs in. */
import { requestAnswer } from '../adapters/http-request.js'
import type { Io } from '../cli/command.js'
import { runProgram } from '../cli/program.js'
import type { Terminal } from '../cli/terminal.js'
import { loadCommands } from './commands.js'
import { interruptSignal } from './interrupt.js'
import { readVersion } from './version.js'

function createIo(): Io {
  const signal = interruptSignal()
  // Whoever reads from us may have seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    env: process.env,
    fetch: requestAnswer,
    get signal() {
      return signal()
    },
    terminal: terminalOf(process.stdout, process.env),
  }
}

/** Colours unless somebody wants none (https://no-color.org). */
function terminalOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Terminal | undefined {
  if (!stream.isTTY) return undefined
  return { columns: stream.columns, hasColours: (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb' }
}

async function main(args: readonly string[]): Promise<number> {
  return runProgram(args, createIo(), { version: readVersion(), commands: await loadCommands(args[0] ?? '') })
}

process.exitCode = await main(process.argv.slice(2))
