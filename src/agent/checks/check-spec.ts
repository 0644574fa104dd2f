/** The checks of an allocation's services as they are to be made. Pure. */
import { sha256 } from '@noble/hashes/sha2.js'
import type { Allocation, Service, ServiceCheck } from '../../domain/index.js'
import { type OwnedService, placeOf, type Whereabouts } from '../services.js'

export interface CheckSpec {
  /** The same for the same check of the same allocation, over restarts. */
  readonly id: string
  readonly name: string
  readonly service: string
  /** Empty for a check of the group. */
  readonly task: string
  /** A readiness check says whether to send work, not whether the allocation is well. */
  readonly isReadiness: boolean
  readonly toleratesWarnings: boolean
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly probe: CheckProbe
  readonly restart: CheckRestartRule | null
}

export type CheckProbe =
  | { readonly kind: 'http'; readonly url: string; readonly check: ServiceCheck }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'grpc'; readonly host: string; readonly port: number; readonly check: ServiceCheck }
  | { readonly kind: 'script'; readonly task: string; readonly command: string; readonly args: readonly string[] }

export interface CheckRestartRule {
  readonly limit: number
  readonly graceMs: number
  readonly ignoresWarnings: boolean
  /** Empty: all tasks of the allocation. */
  readonly task: string
}

const NANOSECONDS_PER_MS = 1e6
const INTERVAL_MS_MIN = 1_000

export function checksOf(owned: readonly OwnedService[], allocation: Allocation, whereabouts: Whereabouts): readonly CheckSpec[] {
  return owned.flatMap(({ task, service }) =>
    (service.Checks ?? []).flatMap((check) => specOf(task, service, check, allocation, whereabouts) ?? []),
  )
}

function specOf(
  owner: string,
  service: Service,
  check: ServiceCheck,
  allocation: Allocation,
  whereabouts: Whereabouts,
): CheckSpec | undefined {
  const task = check.TaskName || service.TaskName || owner
  // Without a port of its own it is made where the service is reached, else at the host's side of the port.
  const mode = check.AddressMode || (check.PortLabel === '' ? service.AddressMode : 'host')
  const advertised = { portLabel: check.PortLabel || service.PortLabel, address: service.Address, mode }
  const probe = probeOf(service, check, task, placeOf(allocation, advertised, whereabouts))
  if (probe === undefined) return undefined
  const restart = check.CheckRestart
  return {
    id: idOf(allocation, owner, service, check),
    name: check.Name,
    service: service.Name,
    task: owner,
    isReadiness: check.OnUpdate === 'ignore',
    toleratesWarnings: check.OnUpdate === 'ignore' || check.OnUpdate === 'ignore_warnings',
    intervalMs: Math.max(INTERVAL_MS_MIN, check.Interval / NANOSECONDS_PER_MS),
    timeoutMs: check.Timeout / NANOSECONDS_PER_MS,
    probe,
    restart:
      restart === null || restart.Limit <= 0
        ? null
        : { limit: restart.Limit, graceMs: restart.Grace / NANOSECONDS_PER_MS, ignoresWarnings: restart.IgnoreWarnings, task },
  }
}

function probeOf(
  service: Service,
  check: ServiceCheck,
  task: string,
  { address, port }: ReturnType<typeof placeOf>,
): CheckProbe | undefined {
  const host = address.includes(':') ? `[${address}]` : address
  switch (check.Type) {
    case 'http': {
      const path = check.Path.startsWith('/') ? check.Path : `/${check.Path}`
      return { kind: 'http', url: `${check.Protocol || 'http'}://${host}:${port}${path}`, check }
    }
    case 'tcp':
      return { kind: 'tcp', host: address, port }
    case 'grpc':
      return { kind: 'grpc', host: address, port, check }
    case 'script':
      return { kind: 'script', task, command: check.Command, args: check.Args ?? [] }
    default:
      void service
      return undefined
  }
}

function idOf({ ID, Name }: Allocation, task: string, service: Service, check: ServiceCheck): string {
  const { Type, PortLabel, OnUpdate, AddressMode, Interval, Timeout, Protocol, Path, Method } = check
  const parts = [
    ID,
    Name,
    task,
    service.Name,
    check.Name,
    Type,
    PortLabel,
    OnUpdate,
    AddressMode,
    Interval,
    Timeout,
    Protocol,
    Path,
    Method,
  ]
  return Array.from(sha256(new TextEncoder().encode(parts.join('\u0000'))), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
