/** What `drover snapshot` and `drover fsck` do, told as text. */
import { resolve } from 'node:path'
import { TerminalError } from '../domain/index.js'
import { type State, tablesOf } from '../state/index.js'
import { readConfig } from './config.js'
import { serverConfigSchema } from './server-config.js'
import { examineState, inspectSnapshot, restoreSnapshot, saveSnapshot } from './state-folder.js'

/** Which server is meant: its configuration, or its data folder. */
export interface Place {
  readonly config?: string
  readonly dataDir?: string
}

/** @throws TerminalError FLAG */
function dataFolderOf({ config, dataDir }: Place): string {
  if (dataDir !== undefined) return resolve(dataDir)
  if (config !== undefined) return resolve(readConfig(config, serverConfigSchema).data_dir)
  throw new TerminalError('FLAG', 'say which server is meant: --config FILE or --data-dir FOLDER')
}

export async function save(file: string, place: Place): Promise<string> {
  const { index, bytes } = await saveSnapshot(dataFolderOf(place), resolve(file))
  return `saved the state at index ${index}, ${bytes.length} bytes\n`
}

export async function restore(file: string, place: Place): Promise<string> {
  const { snapshot, movedTo } = await restoreSnapshot(dataFolderOf(place), resolve(file))
  const moved = movedTo === undefined ? '' : `; what was there is in ${movedTo}`
  return `restored; the state counts on from index ${snapshot.index}${moved}\n`
}

export async function inspect(file: string): Promise<string> {
  const { snapshot, state } = await inspectSnapshot(resolve(file))
  return `${describe(state)}sound, ${snapshot.bytes.length} bytes\n`
}

export async function examine(place: Place): Promise<string> {
  return `${describe(await examineState(dataFolderOf(place)))}sound\n`
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
