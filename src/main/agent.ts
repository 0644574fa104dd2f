/** `drover agent`: builds the adapters of one host and runs the agent on them. Also used inside the server by `dev` without a broker. */
import { join, resolve } from 'node:path'
import { DiskAllocationDirectories, DiskAllocationFiles } from '../adapters/allocation-directories/index.js'
import { systemClock } from '../adapters/clock.js'
import { DeclaredDevices } from '../adapters/declared-devices.js'
import { DiskReserve } from '../adapters/disk-reserve.js'
import { createFingerprint, createHostUsage, readDiskShare } from '../adapters/fingerprint/index.js'
import { LmdbLocalStore } from '../adapters/local-store/index.js'
import { createLogger } from '../adapters/logger.js'
import { AllocationNetworks, networkFingerprint } from '../adapters/network/index.js'
import { loadOrCreateKey, verifySignature } from '../adapters/node-key.js'
import { makePassableFolder } from '../adapters/passable-folder.js'
import { systemRandom } from '../adapters/random.js'
import { SupervisorClient } from '../adapters/supervisor/client.js'
import { AGENT_DEFAULTS, Agent, type CollectionRules, type Driver, describeBroker, type StopOptions } from '../agent/index.js'
import { type Bus, explainError, type Logger } from '../domain/index.js'
import { evaluateTemplate } from '../jobspec/index.js'
import type { AgentConfig } from './agent-config.js'
import { onlyNews, tell } from './child-channel.js'
import { createDrivers } from './drivers.js'
import { createHookPorts } from './hook-ports.js'
import { supervisorCommand } from './supervisor-command.js'
import { readVersion } from './version.js'

function createNetworks(folder: string, network: AgentConfig['network'], drivers: readonly Driver[], logger: Logger): AllocationNetworks {
  return new AllocationNetworks({
    folder,
    bridge: { name: network.bridge_name, subnet: network.bridge_subnet, isHairpin: network.bridge_hairpin_mode },
    pluginFolders: network.cni_path,
    listFolder: network.cni_config_dir,
    makers: new Map(drivers.flatMap(({ name, namespaces }) => (namespaces === undefined ? [] : [[name, namespaces] as const]))),
    logger,
  })
}

export interface RunningAgent {
  readonly nodeId: string
  stop(options: StopOptions): Promise<void>
}

/** @throws TerminalError NODE_KEY, FOLDER_LOCKED */
export async function startAgent(config: AgentConfig, bus: Bus): Promise<RunningAgent> {
  const folder = resolve(config.data_dir)
  makePassableFolder(folder)
  const logger = createLogger({ level: config.log_level, name: 'agent', destination: join(folder, 'agent.log') })
  const key = loadOrCreateKey(folder)
  const store = await LmdbLocalStore.open(folder, {
    onDamage: (text) => {
      logger.error({ text }, 'local state is damaged: what runs is found again as the server names it')
      tell({ kind: 'note', text: `agent ${config.name}: ${text}` })
    },
  })
  const supervisor = new SupervisorClient({ folder: join(folder, 'supervisor'), command: supervisorCommand(), logger })
  supervisor.start()
  const drivers = createDrivers({
    config: config.drivers,
    supervisor,
    environment: process.env,
    clock: systemClock,
    logger,
    nodeId: key.nodeId,
    folder,
  })
  const networks = createNetworks(folder, config.network, drivers, logger)
  const devices = new DeclaredDevices(config.devices)
  const allocationsFolder = join(folder, 'alloc')
  const reserve = new DiskReserve(folder, logger)
  const tellNews = onlyNews()
  const agent = new Agent({
    bus,
    clock: systemClock,
    random: systemRandom,
    logger,
    store,
    directories: new DiskAllocationDirectories(allocationsFolder, logger),
    files: new DiskAllocationFiles(allocationsFolder),
    drivers,
    fingerprint: createFingerprint({
      nodeId: key.nodeId,
      name: config.name,
      dataFolder: folder,
      version: readVersion(),
      networks: () => networkFingerprint(networks),
      devices: () => devices.look(),
    }),
    hostUsage: createHostUsage(folder),
    diskShare: () => readDiskShare(allocationsFolder),
    diskProblem: () => reserve.problem(),
    onDiskProblem: (problem) => tell({ kind: 'note', text: `agent ${config.name}: ${problem ?? 'the disk takes new work again'}` }),
    nodeId: key.nodeId,
    signer: key,
    verify: verifySignature,
    serverKeys: config.server_keys,
    templates: evaluateTemplate,
    hookPorts: createHookPorts(folder, key, config, networks, devices),
    options: { ...AGENT_DEFAULTS, region: config.region, collection: collectionRules(config) },
    onFatal: (error) => {
      process.stderr.write(`agent stopped: ${explainError(error)}\n`)
      process.exit(1)
    },
    onJoined: ({ Name, NodePool }) => tellNews({ kind: 'joined', name: Name, pool: NodePool }),
    onBroker: (awayMs) => tell({ kind: 'note', text: `agent ${config.name}: ${describeBroker(awayMs)}` }),
    onRefused: (reason, remedy) => tellNews({ kind: 'note', text: `agent ${config.name}: ${reason}; ${remedy}` }),
  })
  tell({ kind: 'started', name: config.name, publicKey: key.publicKey })
  await agent.start()
  return {
    nodeId: key.nodeId,
    async stop(options) {
      await agent.stop(options)
      // Without tasks the supervisor has no reason to keep running.
      if (options.tasks === 'end') await supervisor.ask('retire', {})
      supervisor.close()
    },
  }
}

const MS_PER_HOUR = 3_600_000

function collectionRules({ collection }: AgentConfig): CollectionRules {
  const { ended_max, age_hours_max, disk_percent_max, inode_percent_max } = collection
  return {
    endedMax: ended_max,
    ageMsMax: age_hours_max * MS_PER_HOUR,
    diskPercentMax: disk_percent_max,
    inodePercentMax: inode_percent_max,
  }
}
