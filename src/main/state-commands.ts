/** `drover snapshot save|restore|inspect` and `drover fsck`: the state of a server, from outside of it. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { CommandModule } from '../cli/command.js'
import { TerminalError } from '../domain/index.js'
import { type State, tablesOf } from '../state/index.js'
import { readConfig, serverConfigSchema } from './config.js'
import { failingWith } from './failing-with.js'
import { examineState, inspectSnapshot, restoreSnapshot, saveSnapshot } from './state-folder.js'

interface Place {
  readonly config?: string
  readonly dataDir?: string
}

function withPlace(command: Command): Command {
  return command
    .option('--config <file>', 'configuration of the server whose state is meant')
    .option('--data-dir <folder>', 'its data folder, instead')
}

/** @throws TerminalError FLAG */
function dataFolderOf({ config, dataDir }: Place): string {
  if (dataDir !== undefined) return resolve(dataDir)
  if (config !== undefined) return resolve(readConfig(config, serverConfigSchema).data_dir)
  throw new TerminalError('FLAG', 'say which server is meant: --config FILE or --data-dir FOLDER')
}

export const snapshotCommand: CommandModule = {
  name: 'snapshot',
  usage: 'save|restore|inspect FILE',
  summary: 'keep the state of a server as a file, put it back, look into it',
  exitCodes: { 0: 'done', 1: 'not done: no such file or folder, or the server runs', 2: 'data damaged' },
  define(command, io, finish) {
    const run = (work: () => Promise<string>) =>
      finish(
        failingWith(io.err, async () => {
          io.out(await work())
          return 0
        }),
      )
    withPlace(command.command('save <file>').description('the newest state, also while the server runs')).action(
      (file: string, place: Place) =>
        run(async () => {
          const { index, bytes } = await saveSnapshot(dataFolderOf(place), resolve(file))
          return `saved the state at index ${index}, ${bytes.length} bytes\n`
        }),
    )
    withPlace(command.command('restore <file>').description('put it in the place of what is there; the server must be stopped')).action(
      (file: string, place: Place) =>
        run(async () => {
          const { snapshot, movedTo } = await restoreSnapshot(dataFolderOf(place), resolve(file))
          const moved = movedTo === undefined ? '' : `; what was there is in ${movedTo}`
          return `restored; the state counts on from index ${snapshot.index}${moved}\n`
        }),
    )
    command
      .command('inspect <file>')
      .description('what a snapshot holds')
      .action((file: string) =>
        run(async () => {
          const { snapshot, state } = await inspectSnapshot(resolve(file))
          return `${describe(state)}sound, ${snapshot.bytes.length} bytes\n`
        }),
      )
  },
}

export const fsckCommand: CommandModule = {
  name: 'fsck',
  usage: '--config FILE | --data-dir FOLDER',
  summary: 'read all of the state of a server and say whether it is sound',
  exitCodes: { 0: 'sound', 1: 'could not look', 2: 'data damaged' },
  define(command, io, finish) {
    withPlace(command).action((place: Place) =>
      finish(
        failingWith(io.err, async () => {
          const state = await examineState(dataFolderOf(place))
          io.out(`${describe(state)}sound\n`)
          return 0
        }),
      ),
    )
  },
}

function describe(state: State): string {
  const rows = tablesOf(state).filter(([, table]) => table.count > 0)
  return [
    `cluster  ${state.clusterId}`,
    `index    ${state.index}`,
    `epoch    ${state.epoch}`,
    `time     ${new Date(state.atMs).toISOString()}`,
    ...rows.map(([name, table]) => `${name.padEnd(20)} ${table.count}`),
    '',
  ].join('\n')
}
