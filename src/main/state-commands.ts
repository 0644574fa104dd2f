/** `drover snapshot save|restore|inspect` and `drover fsck`: the state of a server, from outside of it. */
import type { Command } from 'commander'
import type { CommandModule, Io } from '../cli/command.js'
import { failingWith } from './failing-with.js'
import type { Place } from './state-work.js'

function withPlace(command: Command): Command {
  return command
    .option('--config <file>', 'configuration of the server whose state is meant')
    .option('--data-dir <folder>', 'its data folder, instead')
}

type StateWork = typeof import('./state-work.js')

/** Prints what the work tells. */
function run(io: Io, work: (state: StateWork) => Promise<string>): Promise<number> {
  return failingWith(io.err, async () => {
    io.out(await work(await import('./state-work.js')))
    return 0
  })
}

export const snapshotCommand: CommandModule = {
  name: 'snapshot',
  usage: 'save|restore|inspect FILE',
  summary: 'keep the state of a server as a file, put it back, look into it',
  exitCodes: { 0: 'done', 1: 'not done: no such file or folder, or the server runs', 2: 'data damaged' },
  define(command, io, finish) {
    withPlace(command.command('save <file>').description('the newest state, also while the server runs')).action(
      (file: string, place: Place) => finish(run(io, (state) => state.save(file, place))),
    )
    withPlace(command.command('restore <file>').description('put it in the place of what is there; the server must be stopped')).action(
      (file: string, place: Place) => finish(run(io, (state) => state.restore(file, place))),
    )
    command
      .command('inspect <file>')
      .description('what a snapshot holds')
      .action((file: string) => finish(run(io, (state) => state.inspect(file))))
  },
}

export const fsckCommand: CommandModule = {
  name: 'fsck',
  usage: '--config FILE | --data-dir FOLDER',
  summary: 'read all of the state of a server and say whether it is sound',
  exitCodes: { 0: 'sound', 1: 'could not look', 2: 'data damaged' },
  define(command, io, finish) {
    withPlace(command).action((place: Place) => finish(run(io, (state) => state.examine(place))))
  },
}
