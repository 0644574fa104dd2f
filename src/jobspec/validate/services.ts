/** Services of a group and of its tasks. */
import type { NetworkResource, Service, Task, TaskGroup } from '../../domain/index.js'
import { checkTexts, ON_UPDATE_MODES, WITH_PORT } from './checks.js'
import { connectTexts } from './connect.js'
import { listText, quote, quoteAscii, wrapTexts } from './problem.js'

const NAME_LENGTH_MAX = 63
const ADDRESS_MODES: ReadonlySet<string> = new Set(['', 'auto', 'host', 'driver', 'alloc', 'alloc_ipv6'])
/** Modes that only a service of the group can use. */
const GROUP_MODES: ReadonlySet<string> = new Set(['alloc', 'alloc_ipv6'])
const CONSUL_KINDS: ReadonlySet<string> = new Set(['', 'mesh-gateway', 'terminating-gateway', 'ingress-gateway', 'api-gateway'])

export function groupServiceTexts(group: TaskGroup): string[] {
  const texts: string[] = []
  const seen = new Set<string>()
  const duplicates = new Set<string>()
  const note = (owner: string, service: Service): void => {
    const key = `${owner}->${service.Name}${service.PortLabel === '' ? '' : `:${service.PortLabel}`}`
    if (seen.has(key)) duplicates.add(key)
    seen.add(key)
  }
  for (const task of group.Tasks ?? []) {
    for (const service of task.Services ?? []) {
      if (service.TaskName !== task.Name)
        texts.push(`Service ${service.Name} is invalid: may only specify task the service belongs to, got ${quote(service.TaskName)}`)
      for (const check of service.Checks ?? []) {
        if (check.TaskName !== task.Name)
          texts.push(`Check ${check.Name} is invalid: may only specify task the check belongs to, got ${quote(check.TaskName)}`)
      }
      note(task.Name, service)
    }
  }
  for (const [at, service] of (group.Services ?? []).entries()) {
    const problems = serviceProblems(service)
    if (problems.length > 0) texts.push(...wrapTexts(`Service[${at}] ${service.Name} validation failed: `, problems))
    else {
      if (service.AddressMode === 'driver')
        texts.push(
          `service ${quote(service.Name)} cannot use address_mode="driver", only services defined in a "task" block can use this mode`,
        )
      texts.push(...checkTaskTexts(group, service))
    }
    note('group', service)
  }
  if (duplicates.size > 0) texts.push(`Services are not unique: [${[...duplicates].sort().join(' ')}]`)
  const services = [...(group.Services ?? []), ...(group.Tasks ?? []).flatMap((task) => task.Services ?? [])]
  if (new Set(services.map(({ Provider }) => Provider)).size > 1)
    texts.push('Multiple service providers used: task group services must use the same provider')
  return [...wrapTexts('Task group service validation failed: ', texts), ...scriptTexts(group)]
}

/** A check of a group service that runs in a task names a task that exists. */
function checkTaskTexts(group: TaskGroup, service: Service): string[] {
  const names = new Set((group.Tasks ?? []).map(({ Name }) => Name))
  return (service.Checks ?? [])
    .filter((check) => check.TaskName !== '')
    .flatMap((check) => {
      const texts =
        check.AddressMode === 'driver'
          ? [
              `Check ${quote(service.Name)} invalid: cannot use address_mode="driver", only checks defined in a "task" service block can use this mode`,
            ]
          : []
      return names.has(check.TaskName) ? texts : [...texts, `Check ${check.Name} invalid: refers to non-existent task ${check.TaskName}`]
    })
}

/** A script runs in a task. */
function scriptTexts(group: TaskGroup): string[] {
  const texts = (group.Services ?? []).flatMap((service) =>
    (service.Checks ?? [])
      .filter((check) => check.Type === 'script' && check.TaskName === '' && service.TaskName === '')
      .map((check) => `Service [${group.Name}]->${service.Name} or Check ${check.Name} must specify task parameter`),
  )
  return wrapTexts('Task group service check validation failed: ', texts)
}

function serviceProblems(service: Service): string[] {
  const texts: string[] = []
  if (!isValidName(service.Name)) {
    texts.push(
      `Service name must be valid per RFC 1123 and can contain only alphanumeric characters or dashes and must be no longer than 63 characters: ${quote(service.Name)}`,
    )
  }
  if (!ADDRESS_MODES.has(service.AddressMode))
    texts.push(`Service address_mode must be "auto", "host", or "driver"; not ${quote(service.AddressMode)}`)
  else if (service.Address !== '' && service.AddressMode !== 'auto') texts.push('Service address_mode must be "auto" if address is set')
  if (!ON_UPDATE_MODES.has(service.OnUpdate))
    texts.push(`Service on_update must be "require_healthy", "ignore_warnings", or "ignore"; not ${quote(service.OnUpdate)}`)
  if (service.Provider === 'nomad') texts.push(...nomadProblems(service))
  else if (service.Provider === 'consul') texts.push(...consulProblems(service))
  else texts.push(`Service provider must be "consul", or "nomad"; not ${quote(service.Provider)}`)
  if (service.Identity !== null && (service.Identity.Audience ?? []).length === 0)
    texts.push('Service identity must provide at least one target aud value')
  return texts
}

/** References are filled in at run time: each counts as a letter. */
function isValidName(name: string): boolean {
  const filled = name.replace(/\$\{[A-Za-z0-9_.-]+\}/g, 'x')
  return filled.length <= NAME_LENGTH_MAX && /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/.test(filled)
}

function nomadProblems(service: Service): string[] {
  return [...checkTexts(service), ...(service.Connect === null ? [] : ['Service with provider nomad cannot include Connect blocks'])]
}

function consulProblems(service: Service): string[] {
  const kind = CONSUL_KINDS.has(service.Kind) ? [] : [`Service ${service.Name} kind must be one of consul service kind or empty`]
  return [...checkTexts(service), ...kind, ...connectTexts(service)]
}

/** Services of a task: as above, and their ports are ports of the task or the group. */
export function taskServiceTexts(group: TaskGroup, task: Task): string[] {
  const services = task.Services ?? []
  const texts: string[] = []
  const names = new Set<string>()
  /** Services by the port that they want. */
  const wanted = new Map<string, Set<string>>()
  const want = (port: string, service: Service): void => {
    wanted.set(port, (wanted.get(port) ?? new Set()).add(service.Name))
  }
  for (const [at, service] of services.entries()) {
    texts.push(...wrapTexts(`service[${at}] ${quoteAscii(service.Name)} validation failed: `, serviceProblems(service)))
    const key = `${service.Name}${service.PortLabel}`
    if (GROUP_MODES.has(service.AddressMode))
      texts.push(
        `service ${quote(service.Name)} cannot use address_mode=${quote(service.AddressMode)}, only services defined in a "group" block can use this mode`,
      )
    if (names.has(key)) texts.push(`service ${quote(service.Name)} is duplicate`)
    names.add(key)
    if (service.Connect !== null)
      texts.push(`service ${quote(service.Name)} cannot have "connect" block, only services defined in a "group" block can`)
    if (service.PortLabel !== '' && !(service.AddressMode === 'driver' && isNumber(service.PortLabel))) want(service.PortLabel, service)
    texts.push(...checkPortTexts(service, want))
  }
  const known = portLabels([...(group.Networks ?? []).slice(0, 1), ...(task.Resources.Networks ?? [])])
  for (const [port, users] of [...wanted].sort(([left], [right]) => (left < right ? -1 : 1))) {
    if (!known.has(port)) texts.push(`port label ${quote(port)} referenced by services ${[...users].sort().join(', ')} does not exist`)
  }
  return texts.length === 0 ? [] : [listText(texts)]
}

function checkPortTexts(service: Service, want: (port: string, service: Service) => void): string[] {
  const seen = new Set<string>()
  return (service.Checks ?? []).flatMap((check) => {
    const texts: string[] = []
    if (seen.has(check.Name)) texts.push(`check ${quote(check.Name)} is duplicate`)
    seen.add(check.Name)
    if (GROUP_MODES.has(check.AddressMode))
      texts.push(
        `check ${quote(service.Name)} cannot use address_mode=${quote(check.AddressMode)}, only checks defined in a "group" service block can use this mode`,
      )
    if (!WITH_PORT.has(check.Type)) return texts
    const port = check.PortLabel || service.PortLabel
    if (port === '') return [...texts, `check ${quote(check.Name)} is missing a port`]
    if (!isNumber(port)) want(port, service)
    else if (check.AddressMode !== 'driver')
      texts.push(`check ${quote(check.Name)} cannot use a numeric port ${Number(port)} without setting address_mode="driver"`)
    else if (Number(port) <= 0) texts.push(`check ${quote(check.Name)} has invalid numeric port ${Number(port)}`)
    return texts
  })
}

function isNumber(label: string): boolean {
  return /^[+-]?[0-9]+$/.test(label)
}

function portLabels(networks: readonly NetworkResource[]): ReadonlySet<string> {
  return new Set(
    networks.flatMap((network) => [...(network.ReservedPorts ?? []), ...(network.DynamicPorts ?? [])]).map(({ Label }) => Label),
  )
}
