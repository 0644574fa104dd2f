/** The accounts of a broker that nobody but this server and its declared hosts may use. */

import { resolve } from 'node:path'
import { Remotes } from '../adapters/git/remote/remotes.js'
import { InProcessSyntaxReader } from '../adapters/hcl-syntax/index.js'
import { type BrokerUsers, natsAuthorization } from '../adapters/nats/accounts.js'
import { createNextServerKey, loadServerKeys, nodeIdOfKey } from '../adapters/node-key.js'
import { AgentsFolderReader, SourceTree } from '../controller/index.js'
import { SOURCE_DEFAULT } from '../domain/index.js'
import { readConfig } from './config.js'
import { openSource } from './open-source.js'
import { type ServerConfig, serverConfigSchema } from './server-config.js'

/** @param path of the server's configuration @returns a file for the broker's own configuration to include */
export async function printAccounts(path: string, withNewServerKey: boolean): Promise<string> {
  const server = readConfig(path, serverConfigSchema)
  if (withNewServerKey) createNextServerKey(resolve(server.data_dir))
  return describeBroker(server)
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

/** Of a remote, what was fetched of it last; what never was is fetched now. */
async function readHosts(config: ServerConfig): Promise<BrokerUsers['hosts']> {
  const { nodes } = config
  const { source, data_dir: dataFolder } = config
  const { git, close } = await openSource({
    id: SOURCE_DEFAULT,
    source,
    dataFolder,
    isNeeded: true,
    count: 1,
    isOnlyOwner: false,
    remotes: new Remotes(),
  })
  const syntax = new InProcessSyntaxReader()
  try {
    const { id } = await git.resolve()
    const { declarations } = await new AgentsFolderReader(syntax).read(new SourceTree(git, await git.list(id)))
    const declared = declarations.filter(({ publicKey }) => publicKey !== '').map(({ name, publicKey }) => ({ name, publicKey }))
    const bound = nodes.bound_keys.map(({ name, public_key }) => ({ name, publicKey: public_key }))
    return [...declared, ...bound].map((host) => ({ ...host, nodeId: nodeIdOfKey(host.publicKey) }))
  } finally {
    await syntax.close()
    await close()
  }
}
