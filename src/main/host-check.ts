/** `drover agent --check`: what works on this host and what is missing, without joining anything or leaving anything behind. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../adapters/clock.js'
import { DeclaredDevices } from '../adapters/declared-devices.js'
import { silentLogger } from '../adapters/logger.js'
import { AllocationNetworks, missingBridgePlugins } from '../adapters/network/index.js'
import { usableControllers } from '../adapters/supervisor/cgroup.js'
import { SupervisorClient } from '../adapters/supervisor/client.js'
import { findTool } from '../adapters/supervisor/tools.js'
import { isRoot } from '../adapters/task-user.js'
import type { Driver } from '../agent/index.js'
import { formatTable } from '../cli/table.js'
import { type AgentConfig, agentConfigSchema } from './agent-config.js'
import { readConfig } from './config.js'
import { createDrivers } from './drivers.js'
import { supervisorCommand } from './supervisor-command.js'

interface Finding {
  readonly what: string
  readonly works: boolean
  /** What it is, or what is missing. */
  readonly detail: string
}

/** What can be done without, and what for. */
const OPTIONAL_TOOLS: readonly (readonly [tool: string, what: string, from: string])[] = [
  ['git', 'artifacts by git', 'git'],
  ['mount', 'secrets in memory', 'mount'],
  ['script', 'terminals of raw_exec, exec and java', 'bsdutils'],
]

/** @returns the exit code: 1 when something that is not switched off does not work */
export async function checkHost(path: string, out: (text: string) => void): Promise<number> {
  const config = readConfig(path, agentConfigSchema)
  const folder = mkdtempSync(join(tmpdir(), 'drover-check-'))
  const supervisor = new SupervisorClient({ folder, command: supervisorCommand(), logger: silentLogger })
  const drivers = createDrivers({
    config: config.drivers,
    supervisor,
    environment: process.env,
    clock: systemClock,
    logger: silentLogger,
    nodeId: 'check',
    folder,
  })
  try {
    const findings = [
      ...(await Promise.all(drivers.map(checkDriver))),
      ...disabledDrivers(config),
      ...checkDevices(config),
      checkGroups(),
      ...checkNetworks(config, folder),
      ...checkTools(),
    ]
    out(
      formatTable(
        ['', 'works', ''],
        findings.map(({ what, works, detail }) => [what, works ? 'yes' : 'no', detail]),
      ),
    )
    return findings.every(({ works, detail }) => works || detail === SWITCHED_OFF) ? 0 : 1
  } finally {
    for (const driver of drivers) driver.close()
    supervisor.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function checkDriver(driver: Driver): Promise<Finding> {
  const { Healthy, HealthDescription, nodeAttributes } = await driver.fingerprint()
  const prefix = `driver.${driver.name}.`
  const known = Object.entries(nodeAttributes).filter(([name]) => name.startsWith(prefix))
  const attributes = known.map(([name, value]) => `${name.slice(prefix.length)} ${value}`).join('; ')
  return { what: `driver ${driver.name}`, works: Healthy, detail: Healthy ? attributes : HealthDescription }
}

const SWITCHED_OFF = 'switched off in the configuration'

function disabledDrivers({ drivers }: AgentConfig): readonly Finding[] {
  return Object.entries(drivers)
    .filter(([, { enabled }]) => !enabled)
    .map(([name]) => ({ what: `driver ${name}`, works: false, detail: SWITCHED_OFF }))
}

function checkDevices({ devices }: AgentConfig): readonly Finding[] {
  return (new DeclaredDevices(devices).look() ?? []).map(({ Vendor, Type, Name, Instances }) => {
    const unhealthy = (Instances ?? []).filter(({ Healthy }) => !Healthy)
    const problems = unhealthy.map(({ ID, HealthDescription }) => `${ID}: ${HealthDescription}`)
    const detail = problems.length > 0 ? problems.join('; ') : (Instances ?? []).map(({ ID }) => ID).join(', ')
    return { what: `device ${Vendor}/${Type}/${Name}`, works: problems.length === 0, detail }
  })
}

function checkGroups(): Finding {
  const { version, names } = usableControllers()
  const missing = ['cpu', 'memory', 'pids', 'cpuset'].filter((name) => !names.some((known) => known === name))
  const what = 'bounds of exec and java'
  if (missing.length === 0) return { what, works: true, detail: `cgroup v${version}: ${names.join(', ')}` }
  const remedy = isRoot() ? 'the kernel has them not, or this group may not use them' : AS_ROOT
  return { what, works: false, detail: `cgroup v${version} without ${missing.join(', ')}: ${remedy}` }
}

function checkNetworks({ network }: AgentConfig, folder: string): readonly Finding[] {
  const networks = new AllocationNetworks({
    folder,
    bridge: { name: network.bridge_name, subnet: network.bridge_subnet, isHairpin: network.bridge_hairpin_mode },
    pluginFolders: network.cni_path,
    listFolder: network.cni_config_dir,
    makers: new Map(),
    logger: silentLogger,
  })
  const problem = problemOfBridge(missingBridgePlugins(networks), network.cni_path)
  const bridge = { what: 'networks in mode bridge', works: problem === undefined, detail: problem ?? network.bridge_subnet }
  const ofHost = networks.lists
    .names()
    .map((name) => ({ what: `networks in mode cni/${name}`, works: isRoot(), detail: isRoot() ? '' : AS_ROOT }))
  return [bridge, ...ofHost]
}

const AS_ROOT = 'run the agent as root'

function problemOfBridge(missing: readonly string[], folders: readonly string[]): string | undefined {
  if (!isRoot()) return AS_ROOT
  if (missing.length > 0) return `no plugin ${missing.join(', ')} in ${folders.join(', ')}; they are part of containernetworking-plugins`
  return findTool('iptables') === undefined ? 'iptables is not installed; it is part of iptables' : undefined
}

function checkTools(): readonly Finding[] {
  return OPTIONAL_TOOLS.map(([tool, what, from]) => {
    const path = findTool(tool)
    return { what, works: path !== undefined, detail: path ?? `${tool} is not installed; it is part of ${from}` }
  })
}
