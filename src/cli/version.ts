/** `drover version`: the same as `--version`, where people look for it. */
import type { Command } from 'commander'
import type { CommandModule, Io } from './command.js'

export function versionCommand(version: string): CommandModule {
  return {
    name: 'version',
    usage: '',
    summary: 'print the version of this program',
    exitCodes: { 0: 'printed' },
    define(command: Command, io: Io, finish) {
      command.action(() => {
        io.out(`${version}\n`)
        return finish(Promise.resolve(0))
      })
    },
  }
}
