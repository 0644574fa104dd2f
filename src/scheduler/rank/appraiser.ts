/**
 * Looks at one row of the node table for one group: whether one more allocation goes there now, and how well it fits by amount. Reads
 * the columns and what the plan has changed on the node.
 */
import type { AllocatedResources, Job, Node, SchedulerAlgorithm, TaskGroup, VolumeRequest } from '../../domain/index.js'
import type { StateView } from '../../state/index.js'
import { claimsOf } from '../feasible/claims.js'
import { askedDevices, assignDevices, devicesInUse } from '../feasible/devices.js'
import type { DistinctRules } from '../feasible/distinct.js'
import { isSingleWriter, lacksOwnVolume, perAllocationVolumes, VOLUMES_MISSING } from '../feasible/node-checks.js'
import { claimsOnce, type NodeTable } from '../feasible/node-table.js'
import { PortIndex } from '../feasible/ports.js'
import type { NodeChange, PlanBuilder } from '../plan-builder.js'
import type { Victims } from '../preempt.js'
import { askOf, type Grant, grant, needsChoice } from '../resources.js'
import { balancedFit, fitScore, powerFit, shareOf } from './score.js'

export interface AppraiserDeps {
  readonly view: StateView
  readonly table: NodeTable
  readonly plan: PlanBuilder
  readonly job: Job
  readonly group: TaskGroup
  readonly algorithm: SchedulerAlgorithm
  readonly hasOversubscription: boolean
}

/** Why a row cannot take one more; `isFiltered` when it is not for want of room. */
export interface Refusal {
  readonly reason: string
  readonly isFiltered: boolean
}

const NO_ROOM: Readonly<Record<'cpu' | 'memory' | 'disk' | 'cores' | 'count', Refusal>> = {
  cpu: { reason: 'cpu', isFiltered: false },
  memory: { reason: 'memory', isFiltered: false },
  disk: { reason: 'disk', isFiltered: false },
  cores: { reason: 'cores', isFiltered: false },
  count: { reason: 'max allocation exceeded', isFiltered: false },
}

const NO_DEVICES = 'devices: no devices match request'

export class Appraiser {
  readonly ask: AllocatedResources
  /** Ports, cores or devices must be chosen on the node, not only counted. */
  readonly needsChoice: boolean
  readonly hasDeviceAffinities: boolean
  readonly #deps: AppraiserDeps
  readonly #distinct: DistinctRules
  /** By amount: cpu without whole cores, which are worth something else on each node. */
  readonly #cpu: number
  readonly #cores: number
  readonly #memory: number
  readonly #disk: number
  readonly #staticPorts: readonly number[]
  readonly #hasDevices: boolean
  readonly #ownVolumes: ReturnType<typeof perAllocationVolumes>
  readonly #volumes: readonly VolumeRequest[]
  /** 10 to the power of minus what is asked, by size of node. */
  readonly #askPowerCpu: Float64Array
  readonly #askPowerMemory: Float64Array
  /** The place among the group's names that is to be filled; matters for volumes of single allocations. */
  index = 0

  constructor(deps: AppraiserDeps, distinct: DistinctRules) {
    const { group, table, algorithm } = deps
    this.#deps = deps
    this.#distinct = distinct
    this.ask = askOf(group, deps.hasOversubscription)
    this.needsChoice = needsChoice(group)
    const claims = claimsOf(this.ask)
    this.#cpu = claims.cpuShares
    this.#cores = group.Tasks.reduce((sum, task) => sum + task.Resources.Cores, 0)
    this.#memory = claims.memoryMb
    this.#disk = claims.diskMb
    this.#staticPorts = (group.Networks?.[0]?.ReservedPorts ?? []).filter((port) => port.IgnoreCollision !== true).map((port) => port.Value)
    this.#hasDevices = askedDevices(group).length > 0
    this.hasDeviceAffinities = askedDevices(group).some((ask) => (ask.Affinities ?? []).length > 0)
    this.#ownVolumes = perAllocationVolumes(group)
    this.#volumes = Object.values(group.Volumes ?? {}).filter((volume) => volume.Type === 'host')
    const sizes = algorithm === 'balanced' ? [] : table.capacities
    this.#askPowerCpu = Float64Array.from(sizes, ({ cpu }) => (cpu > 0 ? 10 ** (-this.#cpu / cpu) : 0))
    this.#askPowerMemory = Float64Array.from(sizes, ({ memory }) => (memory > 0 ? 10 ** (-this.#memory / memory) : 0))
  }

  /** True when each allocation of the group asks something else of a node. */
  get dependsOnIndex(): boolean {
    return this.#ownVolumes.length > 0
  }

  /** Whether more than amounts must be looked at, row by row. */
  get isIntricate(): boolean {
    return this.#hasDevices || this.#staticPorts.length > 0 || this.#volumes.length > 0 || this.#distinct.isActive
  }

  /** The first reason against the row, in Nomad's order; undefined when it can take one more. */
  refusalOf(row: number, node: Node, change: NodeChange | undefined): Refusal | undefined {
    return (this.isIntricate ? this.#intricateRefusal(row, node, change) : undefined) ?? this.shortage(row, change)
  }

  #intricateRefusal(row: number, node: Node, change: NodeChange | undefined): Refusal | undefined {
    const filtered =
      this.#distinct.refusalOf(row) ??
      (this.#ownVolumes.length > 0 ? lacksOwnVolume(node, this.#ownVolumes, this.index) : undefined) ??
      (this.#volumes.length > 0 && this.#isVolumeInUse(node) ? VOLUMES_MISSING : undefined)
    if (filtered !== undefined) return { reason: filtered, isFiltered: true }
    const mayCollide =
      this.#staticPorts.length > 0 &&
      (change !== undefined || this.#staticPorts.some((port) => this.#deps.table.ports.isTouched(port, row)))
    if (mayCollide) {
      const reason = this.#portRefusal(node)
      if (reason !== undefined) return { reason, isFiltered: false }
    }
    return this.#hasDevices && !this.#hasFreeDevices(node) ? { reason: NO_DEVICES, isFiltered: false } : undefined
  }

  /** Whether others collide, or the node is at odds with itself, shows when ports are granted: the same wherever the plan has been before. */
  #portRefusal(node: Node): string | undefined {
    const index = PortIndex.of(node, this.#deps.plan.proposedOn(node.ID))
    const offer = index.assign({ ...this.#deps.group.Networks![0]!, DynamicPorts: null }, 0)
    return offer.kind === 'refused' ? `network: ${offer.reason}` : undefined
  }

  #hasFreeDevices(node: Node): boolean {
    const taken = devicesInUse(this.#deps.plan.proposedOn(node.ID))
    return assignDevices(node, askedDevices(this.#deps.group), taken) !== undefined
  }

  /** A volume with a single writer has no other user: not when it is asked for, and not once it is held. */
  #isVolumeInUse(node: Node): boolean {
    const { view, plan } = this.#deps
    return plan.proposedOn(node.ID).some((other) => {
      const owner = view.findJobVersion(other.Namespace, other.JobID, other.JobCreateIndex, other.JobVersion)
      const theirs = owner?.TaskGroups.find((group) => group.Name === other.TaskGroup)?.Volumes ?? {}
      return Object.values(theirs).some((volume) =>
        this.#volumes.some(
          (own) => volume.Type === 'host' && own.Source === volume.Source && (isSingleWriter(own) || isSingleWriter(volume)),
        ),
      )
    })
  }

  /** What there is too little of, counting what the plan has changed on the node. */
  shortage(row: number, change: NodeChange | undefined): Refusal | undefined {
    const { table } = this.#deps
    if (this.#cores > 0 && table.usedCores[row]! + (change?.cores ?? 0) + this.#cores > table.capacityCores[row]!) return NO_ROOM.cores
    const most = table.allocationsMax[row]!
    if (most > 0 && table.allocationCount[row]! + (change?.count ?? 0) + 1 > most) return NO_ROOM.count
    if (table.usedCpu[row]! + (change?.cpu ?? 0) + this.cpuOn(row) > table.capacityCpu[row]!) return NO_ROOM.cpu
    if (table.usedMemory[row]! + (change?.memory ?? 0) + this.#memory > table.capacityMemory[row]!) return NO_ROOM.memory
    return table.usedDisk[row]! + (change?.disk ?? 0) + this.#disk > table.capacityDisk[row]! ? NO_ROOM.disk : undefined
  }

  /** MHz that the group takes on the row's node. */
  cpuOn(row: number): number {
    return this.#cores === 0 ? this.#cpu : this.#cpu + this.#cores * this.#deps.table.coreShares[row]!
  }

  /** In [0, 1], after the placement. */
  fitOf(row: number, change: NodeChange | undefined): number {
    const { table, algorithm } = this.#deps
    if (
      change === undefined &&
      this.#cores === 0 &&
      algorithm !== 'balanced' &&
      table.capacityCpu[row]! > 0 &&
      table.capacityMemory[row]! > 0
    )
      return powerFit(algorithm, this.#cachedPower(row))
    const cpu = shareOf(table.usedCpu[row]! + (change?.cpu ?? 0) + this.cpuOn(row), table.capacityCpu[row]!)
    const memory = shareOf(table.usedMemory[row]! + (change?.memory ?? 0) + this.#memory, table.capacityMemory[row]!)
    return algorithm === 'balanced' ? balancedFit(cpu, memory) : fitScore(algorithm, cpu, memory)
  }

  /**
   * The same when some allocations make room. Nomad scores the node as if those stayed who only free amounts, and its formulas are kept
   * with that; `balanced` looks at what will be.
   */
  fitAfter(row: number, change: NodeChange | undefined, { victims, holders }: Pick<Victims, 'victims' | 'holders'>): number {
    const { table, algorithm } = this.#deps
    let cpu = table.usedCpu[row]! + (change?.cpu ?? 0) + this.cpuOn(row)
    let memory = table.usedMemory[row]! + (change?.memory ?? 0) + this.#memory
    for (const victim of algorithm === 'balanced' ? victims : holders) {
      cpu -= claimsOnce(victim).cpuShares
      memory -= claimsOnce(victim).memoryMb
    }
    return fitScore(algorithm, shareOf(cpu, table.capacityCpu[row]!), shareOf(memory, table.capacityMemory[row]!))
  }

  #cachedPower(row: number): number {
    const { table } = this.#deps
    if (Number.isNaN(table.freePowerCpu[row]!)) {
      table.freePowerCpu[row] = 10 ** (1 - table.usedCpu[row]! / table.capacityCpu[row]!)
      table.freePowerMemory[row] = 10 ** (1 - table.usedMemory[row]! / table.capacityMemory[row]!)
    }
    const size = table.capacityIds[row]!
    return table.freePowerCpu[row]! * this.#askPowerCpu[size]! + table.freePowerMemory[row]! * this.#askPowerMemory[size]!
  }

  /** Weight of what the chosen devices are liked for; 0 where nothing was said. */
  deviceScoreOf(node: Node): number {
    const { plan, group } = this.#deps
    const assigned = assignDevices(node, askedDevices(group), devicesInUse(plan.proposedOn(node.ID)))
    return assigned === undefined || assigned.totalWeight === 0 ? 0 : assigned.matchedWeight / assigned.totalWeight
  }

  /** Chooses ports, cores and devices. `startAt` in [0, 1) says where to look for dynamic ports first. */
  grantOn(node: Node, startAt: number): Grant {
    if (!this.needsChoice) return { kind: 'granted', resources: this.ask }
    return grant(node, this.#deps.group, this.#deps.plan.proposedOn(node.ID), this.ask, startAt)
  }
}
