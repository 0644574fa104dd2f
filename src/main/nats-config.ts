/** `drover nats-config`: the accounts of a broker that nobody but this server and its declared hosts may use. */
import type { CommandModule } from '../cli/command.js'
import { failingWith } from './failing-with.js'

export const natsConfigCommand: CommandModule = {
  name: 'nats-config',
  usage: '--config FILE',
  summary: 'print the accounts of a NATS broker for this server and the hosts that its repository declares',
  exitCodes: { 0: 'printed', 1: 'the configuration, the repository or a key cannot be read' },
  define(command, io, finish) {
    command
      .requiredOption('--config <file>', "the server's YAML, see docs/configuration.md")
      .option('--new-server-key', 'make the key that hosts are to know the server by next, see docs/security.md', false)
      .action(({ config, newServerKey }: { config: string; newServerKey: boolean }) =>
        finish(
          failingWith(io.err, async () => {
            const { printAccounts } = await import('./nats-accounts.js')
            io.out(await printAccounts(config, newServerKey))
            return 0
          }),
        ),
      )
  },
}
