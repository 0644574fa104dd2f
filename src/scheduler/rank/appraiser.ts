/**
 * Looks at one row of the node table for one group: whether one more allocation goes there now, and how well it fits by amount. Reads
 * the columns and what the plan has changed on the node.
 */
import type { Job, Node, SchedulerAlgorithm, TaskGroup } from '../../domain/index.js'
import { jobOfAllocation, type StateView } from '../../state/index.js'
import { assignDevices, devicesInUse } from '../feasible/devices.js'
import type { DistinctRules } from '../feasible/distinct.js'
import { isSingleWriter, lacksOwnVolume, VOLUMES_MISSING } from '../feasible/node-checks.js'
import { claimsOnce, type NodeTable } from '../feasible/node-table.js'
import { PortIndex } from '../feasible/ports.js'
import type { NodeChange, PlanBuilder } from '../plan-builder.js'
import type { Victims } from '../preempt.js'
import { askedNetworks, type Grant, grant } from '../resources.js'
import { type Needs, needsOf } from './needs.js'
import type { Refusal } from './refusal.js'
import { balancedFit, fitScore, powerFit, shareOf, unitOf } from './score.js'

export interface AppraiserDeps {
  readonly view: StateView
  readonly table: NodeTable
  readonly plan: PlanBuilder
  readonly job: Job
  readonly group: TaskGroup
  readonly algorithm: SchedulerAlgorithm
  readonly hasOversubscription: boolean
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
  readonly needs: Needs
  /** Nothing but amounts decides about a row. */
  readonly isPlain: boolean
  readonly #deps: AppraiserDeps
  readonly #distinct: DistinctRules
  /** 10 to the power of minus what is asked, by size of node. */
  readonly #askPowerCpu: Float64Array
  readonly #askPowerMemory: Float64Array
  /** The place among the group's names that is to be filled; matters for volumes of single allocations. */
  index = 0

  constructor(deps: AppraiserDeps, distinct: DistinctRules) {
    const { group, table, algorithm } = deps
    const needs = needsOf(group, deps.hasOversubscription)
    this.#deps = deps
    this.#distinct = distinct
    this.needs = needs
    this.isPlain =
      needs.devices.length + needs.staticPorts.length + needs.ownVolumes.length + needs.hostVolumes.length === 0 && !distinct.isActive
    const sizes = algorithm === 'balanced' ? [] : table.capacities
    this.#askPowerCpu = Float64Array.from(sizes, ({ cpu }) => (cpu > 0 ? 10 ** (-needs.cpu / cpu) : 0))
    this.#askPowerMemory = Float64Array.from(sizes, ({ memory }) => (memory > 0 ? 10 ** (-needs.memoryMb / memory) : 0))
  }

  /** True when each allocation of the group asks something else of a node. */
  get dependsOnIndex(): boolean {
    return this.needs.ownVolumes.length > 0
  }

  /** Whether `scan` may look at all rows at once. */
  get canScan(): boolean {
    return this.isPlain && this.needs.cores === 0 && !this.needs.hasDeviceAffinities
  }

  /**
   * All rows at once, as the tables have them: how well each fits goes into `fits`, by position. Nothing is allocated or looked up on
   * the way, so this is what most of the cluster costs.
   */
  scan(rows: Int32Array, fits: Float64Array, refuse: (position: number, refusal: Refusal) => void): void {
    const { table, algorithm } = this.#deps
    const { usedCpu, usedMemory, usedDisk, capacityCpu, capacityMemory, capacityDisk, allocationsMax, allocationCount } = table
    const { cpu, memoryMb, diskMb } = this.needs
    for (let position = 0; position < rows.length; position++) {
      const row = rows[position]!
      const cpuAfter = usedCpu[row]! + cpu
      const memoryAfter = usedMemory[row]! + memoryMb
      const most = allocationsMax[row]!
      if (most > 0 && allocationCount[row]! >= most) refuse(position, NO_ROOM.count)
      else if (cpuAfter > capacityCpu[row]!) refuse(position, NO_ROOM.cpu)
      else if (memoryAfter > capacityMemory[row]!) refuse(position, NO_ROOM.memory)
      else if (usedDisk[row]! + diskMb > capacityDisk[row]!) refuse(position, NO_ROOM.disk)
      else if (algorithm === 'balanced') fits[position] = this.#balancedBeside(row, usedCpu[row]!, usedMemory[row]!)
      else fits[position] = this.fitOf(row, undefined)
    }
  }

  /** The first reason against the row, in Nomad's order; undefined when it can take one more. */
  refusalOf(row: number, node: Node, change: NodeChange | undefined): Refusal | undefined {
    return (this.isPlain ? undefined : this.#intricateRefusal(row, node, change)) ?? this.#shortage(row, change)
  }

  #intricateRefusal(row: number, node: Node, change: NodeChange | undefined): Refusal | undefined {
    const filtered =
      this.#distinct.refusalOf(row) ??
      (this.needs.ownVolumes.length > 0 ? lacksOwnVolume(node, this.needs.ownVolumes, this.index) : undefined) ??
      (this.needs.hostVolumes.length > 0 && this.#isVolumeInUse(node) ? VOLUMES_MISSING : undefined)
    if (filtered !== undefined) return { reason: filtered, isFiltered: true }
    const mayCollide =
      this.needs.staticPorts.length > 0 &&
      (change !== undefined || this.needs.staticPorts.some((port) => this.#deps.table.ports.isTouched(port, row)))
    if (mayCollide) {
      const reason = this.#portRefusal(node)
      if (reason !== undefined) return { reason, isFiltered: false }
    }
    return this.needs.devices.length > 0 && !this.#hasFreeDevices(node) ? { reason: NO_DEVICES, isFiltered: false } : undefined
  }

  /** Whether others collide, or the node is at odds with itself, shows when ports are granted: the same wherever the plan has been before. */
  #portRefusal(node: Node): string | undefined {
    const index = PortIndex.of(node, this.#deps.plan.proposedOn(node.ID))
    for (const { network } of askedNetworks(this.#deps.group)) {
      const offer = index.assign({ ...network, DynamicPorts: null }, 0)
      if (offer.kind === 'refused') return `network: ${offer.reason}`
    }
    return undefined
  }

  #hasFreeDevices(node: Node): boolean {
    const taken = devicesInUse(this.#deps.plan.proposedOn(node.ID))
    return assignDevices(node, this.needs.devices, taken) !== undefined
  }

  /** A volume with a single writer has no other user: not when it is asked for, and not once it is held. */
  #isVolumeInUse(node: Node): boolean {
    const { view, plan } = this.#deps
    return plan.proposedOn(node.ID).some((other) => {
      const owner = jobOfAllocation(view, other)
      const theirs = owner?.TaskGroups.find((group) => group.Name === other.TaskGroup)?.Volumes ?? {}
      return Object.values(theirs).some((volume) =>
        this.needs.hostVolumes.some(
          (own) => volume.Type === 'host' && own.Source === volume.Source && (isSingleWriter(own) || isSingleWriter(volume)),
        ),
      )
    })
  }

  /** What there is too little of, counting what the plan has changed on the node. */
  #shortage(row: number, change: NodeChange | undefined): Refusal | undefined {
    const { table } = this.#deps
    if (this.needs.cores > 0 && table.usedCores[row]! + (change?.cores ?? 0) + this.needs.cores > table.capacityCores[row]!)
      return NO_ROOM.cores
    const most = table.allocationsMax[row]!
    if (most > 0 && table.allocationCount[row]! + (change?.count ?? 0) + 1 > most) return NO_ROOM.count
    if (table.usedCpu[row]! + (change?.cpu ?? 0) + this.cpuOn(row) > table.capacityCpu[row]!) return NO_ROOM.cpu
    if (table.usedMemory[row]! + (change?.memory ?? 0) + this.needs.memoryMb > table.capacityMemory[row]!) return NO_ROOM.memory
    return table.usedDisk[row]! + (change?.disk ?? 0) + this.needs.diskMb > table.capacityDisk[row]! ? NO_ROOM.disk : undefined
  }

  /** MHz that the group takes on the row's node. */
  cpuOn(row: number): number {
    return this.needs.cores === 0 ? this.needs.cpu : this.needs.cpu + this.needs.cores * this.#deps.table.coreShares[row]!
  }

  /** In [0, 1], after the placement. */
  fitOf(row: number, change: NodeChange | undefined): number {
    const { table, algorithm } = this.#deps
    if (
      change === undefined &&
      this.needs.cores === 0 &&
      algorithm !== 'balanced' &&
      table.capacityCpu[row]! > 0 &&
      table.capacityMemory[row]! > 0
    )
      return powerFit(algorithm, this.#cachedPower(row))
    return this.#fitBeside(row, table.usedCpu[row]! + (change?.cpu ?? 0), table.usedMemory[row]! + (change?.memory ?? 0))
  }

  /**
   * The same when some allocations make room. Nomad scores the node as if those stayed who only free amounts, and its formulas are kept
   * with that; `balanced` looks at what will be.
   */
  fitAfter(row: number, change: NodeChange | undefined, { victims, holders }: Pick<Victims, 'victims' | 'holders'>): number {
    const { table, algorithm } = this.#deps
    let cpu = table.usedCpu[row]! + (change?.cpu ?? 0)
    let memory = table.usedMemory[row]! + (change?.memory ?? 0)
    for (const victim of algorithm === 'balanced' ? victims : holders) {
      cpu -= claimsOnce(victim).cpuShares
      memory -= claimsOnce(victim).memoryMb
    }
    return this.#fitBeside(row, cpu, memory)
  }

  /** @param heldCpu, heldMemory MHz and MiB that others hold on the node */
  #fitBeside(row: number, heldCpu: number, heldMemory: number): number {
    const { table, algorithm } = this.#deps
    if (algorithm === 'balanced') return this.#balancedBeside(row, heldCpu, heldMemory)
    const cpu = shareOf(heldCpu + this.cpuOn(row), table.capacityCpu[row]!)
    return fitScore(algorithm, cpu, shareOf(heldMemory + this.needs.memoryMb, table.capacityMemory[row]!))
  }

  #balancedBeside(row: number, heldCpu: number, heldMemory: number): number {
    const { table } = this.#deps
    const cpuUnit = unitOf(table.capacityCpu[row]!)
    const memoryUnit = unitOf(table.capacityMemory[row]!)
    return balancedFit(heldCpu * cpuUnit, heldMemory * memoryUnit, this.cpuOn(row) * cpuUnit, this.needs.memoryMb * memoryUnit)
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
    if (!this.needs.hasDeviceAffinities) return 0
    const assigned = assignDevices(node, this.needs.devices, devicesInUse(this.#deps.plan.proposedOn(node.ID)))
    return assigned === undefined || assigned.totalWeight === 0 ? 0 : assigned.matchedWeight / assigned.totalWeight
  }

  /** Chooses ports, cores and devices. `startAt` in [0, 1) says where to look for dynamic ports first. */
  grantOn(node: Node, startAt: number): Grant {
    if (!this.needs.hasChoice) return { kind: 'granted', resources: this.needs.ask }
    return grant(node, this.#deps.group, this.#deps.plan.proposedOn(node.ID), this.needs.ask, startAt)
  }
}
