#!/usr/bin/env node
/** The program `drover`: which command is meant, and the world it runs in. */
import { fileURLToPath } from 'node:url'
import {
  type CommandModule,
  eventsCommand,
  type Io,
  logsCommand,
  planCommand,
  renderCommand,
  runProgram,
  statusCommand,
  validateCommand,
  whyCommand,
} from '../cli/index.js'
import { readVersion } from './version.js'

/** Only what the command needs is loaded: looking at a job must not wait for a database and a broker client. */
const LOADERS: Readonly<Record<string, () => Promise<CommandModule>>> = {
  dev: async () => (await import('./programs.js')).devCommand(fileURLToPath(import.meta.url)),
  server: async () => (await import('./programs.js')).serverCommand,
  agent: async () => (await import('./programs.js')).agentCommand,
  snapshot: async () => (await import('./state-commands.js')).snapshotCommand,
  fsck: async () => (await import('./state-commands.js')).fsckCommand,
  'nats-config': async () => (await import('./nats-config.js')).natsConfigCommand,
  status: async () => statusCommand,
  logs: async () => logsCommand,
  why: async () => whyCommand,
  events: async () => eventsCommand,
  validate: async () => validateCommand(await jobFiles()),
  render: async () => renderCommand(await jobFiles()),
  plan: async () => planCommand(await jobFiles()),
}

async function jobFiles() {
  const { LocalJobFiles } = await import('./job-files.js')
  return new LocalJobFiles(process.cwd())
}

function createIo(): Io {
  const stopped = new AbortController()
  process.once('SIGINT', () => stopped.abort())
  // Whoever reads from us may have seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    env: process.env,
    fetch,
    signal: stopped.signal,
  }
}

async function main(args: readonly string[]): Promise<number> {
  const meant = args[0] === undefined ? undefined : LOADERS[args[0]]
  const commands = await Promise.all((meant === undefined ? Object.values(LOADERS) : [meant]).map((load) => load()))
  return runProgram(args, createIo(), { version: readVersion(), commands })
}

process.exitCode = await main(process.argv.slice(2))
