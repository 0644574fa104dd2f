/** `drover nats-config`: the accounts of a broker that nobody but this server and its declared hosts may use. */
import { resolve } from 'node:path'
import { CliGitSource } from '../adapters/git/git-source.js'
import { InProcessSyntaxReader } from '../adapters/hcl-syntax/index.js'
import { type BrokerUsers, natsAuthorization } from '../adapters/nats/accounts.js'
import { createNextServerKey, loadServerKeys, nodeIdOfKey } from '../adapters/node-key.js'
import type { CommandModule } from '../cli/command.js'
import { AgentsFolderReader, SourceTree } from '../controller/index.js'
import { readConfig, type ServerConfig, serverConfigSchema } from './config.js'
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
            const server = readConfig(config, serverConfigSchema)
            if (newServerKey) createNextServerKey(resolve(server.data_dir))
            io.out(await describeBroker(server))
            return 0
          }),
        ),
      )
  },
}

async function describeBroker(config: ServerConfig): Promise<string> {
  const { current, next } = loadServerKeys(resolve(config.data_dir))
  const serverKeys = [current, ...next].map(({ publicKey }) => publicKey)
  const users: BrokerUsers = { region: config.region, serverKeys, hosts: await readHosts(config) }
  const head = [
    '# For nats-server: include "drover-accounts.conf". Made by drover nats-config; make it again when a host is declared or removed',
    '# and tell the broker: nats-server --signal reload.',
    `# Hosts know this server by the key ${current.publicKey}.`,
  ]
  return `${head.join('\n')}\n${natsAuthorization(users)}`
}

async function readHosts({ source, nodes }: ServerConfig): Promise<BrokerUsers['hosts']> {
  const git = await CliGitSource.open({ repository: resolve(source.repository), ref: source.ref })
  const syntax = new InProcessSyntaxReader()
  try {
    const { id } = await git.resolve()
    const { declarations } = await new AgentsFolderReader(syntax).read(new SourceTree(git, await git.list(id)))
    const declared = declarations.filter(({ publicKey }) => publicKey !== '').map(({ name, publicKey }) => ({ name, publicKey }))
    const bound = nodes.bound_keys.map(({ name, public_key }) => ({ name, publicKey: public_key }))
    return [...declared, ...bound].map((host) => ({ ...host, nodeId: nodeIdOfKey(host.publicKey) }))
  } finally {
    await syntax.close()
    await git.close()
  }
}
