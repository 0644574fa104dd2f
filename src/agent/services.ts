/**
 * The services that an allocation offers now, as they are registered: every text of them filled in from the environment of the task or
 * group that they belong to. Both providers register in the same catalogue.
 */
import {
  type AllocatedPortMapping,
  type Allocation,
  type AllocNetworkStatus,
  isCanary,
  NAMESPACE_DEFAULT,
  type Service,
  type ServiceCheck,
  type ServiceRegistration,
  type Task,
  type TaskGroup,
} from '../domain/index.js'
import { interpolate, type TaskEnvironment } from './environment.js'

/** A service with whom it belongs to. `task` is empty for the group's. */
export interface OwnedService {
  readonly task: string
  readonly service: Service
}

export interface ServiceOwners {
  readonly group: TaskGroup
  /** Whether the group's services are there: the allocation has begun and is not being ended. */
  readonly isGroupUp: boolean
  readonly isUp: (task: Task) => boolean
  /** All that environments are made of. While each part of it is the same object or text, so are the services. */
  readonly basis: readonly unknown[]
  /** Of the group when no task is named. */
  readonly environmentOf: (task: Task | undefined) => TaskEnvironment
}

/** Fills in services once: what they are filled in from is large where there are many ports, and seldom changes. */
export class OfferedServices {
  readonly #filled = new Map<string, readonly OwnedService[]>()
  #basis: readonly unknown[] = []

  up({ group, isGroupUp, isUp, basis, environmentOf }: ServiceOwners): readonly OwnedService[] {
    if (basis.length !== this.#basis.length || basis.some((part, at) => part !== this.#basis[at])) this.#filled.clear()
    this.#basis = basis
    const owned = (task: Task | undefined, services: readonly Service[] | null): readonly OwnedService[] => {
      if (services === null || services.length === 0) return []
      const name = task?.Name ?? ''
      const known = this.#filled.get(name)
      if (known !== undefined) return known
      const environment = environmentOf(task)
      const filled = services.map((service) => ({ task: name, service: filledIn(service, environment) }))
      this.#filled.set(name, filled)
      return filled
    }
    const ofTasks = group.Tasks.filter(isUp).flatMap((task) => owned(task, task.Services))
    return isGroupUp ? [...owned(undefined, group.Services), ...ofTasks] : ofTasks
  }
}

function filledIn(service: Service, environment: TaskEnvironment): Service {
  const fill = (text: string) => interpolate(text, environment)
  const fillAll = (texts: readonly string[] | null) => texts?.map(fill) ?? null
  return {
    ...service,
    Name: fill(service.Name),
    Tags: fillAll(service.Tags),
    CanaryTags: fillAll(service.CanaryTags),
    Address: fill(service.Address),
    PortLabel: fill(service.PortLabel),
    Meta: fillMap(service.Meta, fill),
    CanaryMeta: fillMap(service.CanaryMeta, fill),
    Checks: service.Checks?.map((check) => filledCheck(check, fill)) ?? null,
  }
}

function filledCheck(check: ServiceCheck, fill: (text: string) => string): ServiceCheck {
  const header = Object.entries(check.Header ?? {}).map(([name, values]) => [fill(name), values.map(fill)] as const)
  return {
    ...check,
    Name: fill(check.Name),
    Path: fill(check.Path),
    Protocol: fill(check.Protocol),
    PortLabel: fill(check.PortLabel),
    Command: fill(check.Command),
    Args: check.Args?.map(fill) ?? null,
    Method: fill(check.Method),
    Body: fill(check.Body),
    Header: check.Header === null ? null : Object.fromEntries(header),
  }
}

function fillMap(values: Readonly<Record<string, string>> | null, fill: (text: string) => string) {
  return values === null ? null : Object.fromEntries(Object.entries(values).map(([name, value]) => [fill(name), fill(value)]))
}

export interface ServicePlace {
  readonly address: string
  readonly port: number
}

/** Where an allocation is reached. */
export interface Whereabouts {
  /** Of the host, where a service has no port. */
  readonly nodeAddress: string
  /** Of the allocation's own network; null: it has its host's. */
  readonly network: AllocNetworkStatus | null
}

/** What a service or check says of where it is: a port of the allocation by its label, a number, or no port at all. */
export interface Advertised {
  readonly portLabel: string
  /** Wins over every mode. */
  readonly address: string
  /** `alloc`: inside the allocation's own network. Every other one is the host's, with the port that the host maps. */
  readonly mode: string
}

export function placeOf(
  allocation: Allocation,
  { portLabel, address, mode }: Advertised,
  { nodeAddress, network }: Whereabouts,
): ServicePlace {
  const port = findPort(allocation, portLabel)
  const literal = port === undefined && /^\d+$/.test(portLabel) ? Number(portLabel) : 0
  if (mode === 'alloc' && network !== null && network.Address !== '')
    return { address: address || network.Address, port: port === undefined ? literal : port.To > 0 ? port.To : port.Value }
  return { address: address || port?.HostIP || nodeAddress, port: port?.Value ?? literal }
}

function findPort(allocation: Allocation, label: string): AllocatedPortMapping | undefined {
  return label === '' ? undefined : (allocation.AllocatedResources.Shared.Ports ?? []).find((mapping) => mapping.Label === label)
}

export interface RegistrationInput {
  readonly allocation: Allocation
  readonly datacenter: string
  readonly whereabouts: Whereabouts
}

export function registrationsOf(owned: readonly OwnedService[], input: RegistrationInput): readonly ServiceRegistration[] {
  return owned.map(({ task, service }) => registrationOf(task, service, input))
}

function registrationOf(task: string, service: Service, { allocation, datacenter, whereabouts }: RegistrationInput): ServiceRegistration {
  const hasCanaryTags = isCanary(allocation) && service.CanaryTags !== null
  const advertised = { portLabel: service.PortLabel, address: service.Address, mode: service.AddressMode }
  const { address, port } = placeOf(allocation, advertised, whereabouts)
  return {
    ID: `_nomad-task-${allocation.ID}-${task === '' ? `group-${allocation.TaskGroup}` : task}-${service.Name}-${service.PortLabel}`,
    ServiceName: service.Name,
    Namespace: allocation.Namespace || NAMESPACE_DEFAULT,
    NodeID: allocation.NodeID,
    Datacenter: datacenter,
    JobID: allocation.JobID,
    AllocID: allocation.ID,
    Tags: (hasCanaryTags ? service.CanaryTags : service.Tags) ?? [],
    Address: address,
    Port: port,
    CreateIndex: 0,
    ModifyIndex: 0,
  }
}
