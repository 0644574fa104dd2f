/** `drover fs ALLOC [PATH]`: the files of an allocation. */
import type { Command } from 'commander'
import { addConnectionOptions, Client, type ConnectionOptions } from './client.js'
import type { CommandModule, Io } from './command.js'
import { addOutputOptions, formatOf, type OutputOptions, printData } from './output.js'
import { resolve } from './resolve.js'
import { formatAge, formatTable } from './table.js'
import type { FileAnswer } from './wire.js'

type FsOptions = ConnectionOptions & OutputOptions

export const fsCommand: CommandModule = {
  name: 'fs',
  usage: '[options] <ALLOC> [PATH]',
  summary: 'list a folder of an allocation, or print one of its files',
  exitCodes: { 0: 'listed or printed', 1: 'not found, or no server answers' },
  completes: 'allocation',
  define(command: Command, io: Io, finish) {
    addOutputOptions(addConnectionOptions(command))
      .argument('<ALLOC>', 'the id of an allocation, the beginning of one, or its name')
      .argument('[PATH]', 'from the folder of the allocation', '/')
      .action((id: string, path: string, options: FsOptions) => finish(showFiles(id, path, options, io)))
  },
}

async function showFiles(text: string, path: string, options: FsOptions, io: Io): Promise<number> {
  const format = formatOf(options)
  const client = new Client(options, io)
  const { id } = await resolve(text, ['allocation'], client)
  const stat = await client.get<FileAnswer>(`/v1/client/fs/stat/${id}`, { path })
  if (!stat.IsDir) {
    for await (const part of client.stream(`/v1/client/fs/cat/${id}`, { path })) io.out(part)
    return 0
  }
  const files = await client.get<readonly FileAnswer[]>(`/v1/client/fs/ls/${id}`, { path })
  const sorted = [...files].sort((a, b) => (a.Name < b.Name ? -1 : 1))
  if (await printData(format, sorted, sorted.map(nameOf), io)) return 0
  const nowMs = Date.now()
  const rows = sorted.map((file) => [file.FileMode, String(file.Size), formatAge(Date.parse(file.ModTime) * 1e6, nowMs), nameOf(file)])
  io.out(formatTable(['MODE', 'SIZE', 'AGE', 'NAME'], rows, io.terminal))
  return 0
}

function nameOf({ Name, IsDir }: FileAnswer): string {
  return IsDir ? `${Name}/` : Name
}
