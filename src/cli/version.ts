/** `drover version`: the same as `--version`, where people look for it. */
import type { Command } from 'commander'
import type { CommandModule, Io } from './command.js'
import { formatJson } from './json.js'

export function versionCommand(version: string): CommandModule {
  return {
    name: 'version',
    usage: '[options]',
    summary: 'print the version of this program',
    exitCodes: { 0: 'printed' },
    define(command: Command, io: Io, finish) {
      command.option('--json', 'as an object', false).action(({ json }: { readonly json: boolean }) => {
        io.out(json ? formatJson({ version }) : `${version}\n`)
        return finish(Promise.resolve(0))
      })
    },
  }
}
