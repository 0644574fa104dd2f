/** Services and their checks. */
import { formatDuration, SECOND, type Service, type ServiceCheck, type TaskGroup } from '../../domain/index.js'
import { listText, quote, wrapTexts } from './problem.js'

const NAME_LENGTH_MAX = 63
const INTERVAL_MIN = SECOND
const CONSUL_NAME = /^[\p{L}\p{N}${}_.-]*$/u
const NOMAD_CHECKS = ['tcp', 'http']
const CONSUL_CHECKS = ['grpc', 'tcp', 'http', 'script']
const NOMAD_METHODS: ReadonlySet<string> = new Set(['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])

export function groupServiceTexts(group: TaskGroup): string[] {
  const services = group.Services ?? []
  const texts: string[] = []
  const providers = new Set(services.map(({ Provider }) => Provider))
  const duplicates = duplicatesOf(services.map((service) => `group->${service.Name}:${service.PortLabel}`))
  if (duplicates.length > 0) texts.push(`Services are not unique: [${duplicates.join(' ')}]`)
  for (const [at, service] of services.entries())
    texts.push(...wrapTexts(`Service[${at}] ${service.Name} validation failed: `, serviceProblems(service)))
  texts.push(...checkTaskTexts(group, services))
  if (providers.size > 1) texts.push('Multiple service providers used: task group services must use the same provider')
  return wrapTexts('Task group service validation failed: ', texts)
}

function duplicatesOf(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, at) => names.indexOf(name) !== at))]
}

/** A check of a group service that runs in a task names a task that exists. */
function checkTaskTexts(group: TaskGroup, services: readonly Service[]): string[] {
  const names = new Set(group.Tasks.map(({ Name }) => Name))
  return services.flatMap((service) =>
    (service.Checks ?? [])
      .filter((check) => check.TaskName !== '' && !names.has(check.TaskName))
      .map((check) => `Check ${check.Name} invalid: refers to non-existent task ${check.TaskName}`),
  )
}

export function serviceProblems(service: Service): string[] {
  const texts: string[] = []
  if (!isValidName(service)) {
    texts.push(
      `Service name must be valid per RFC 1123 and can contain only alphanumeric characters or dashes and must be no longer than 63 characters: ${quote(service.Name)}`,
    )
  }
  if (!['', 'auto', 'host', 'driver', 'alloc'].includes(service.AddressMode)) {
    texts.push(`Service address_mode must be "auto", "host", or "driver"; not ${quote(service.AddressMode)}`)
  }
  if (!['require_healthy', 'ignore_warnings', 'ignore'].includes(service.OnUpdate)) {
    texts.push(`Service on_update must be "require_healthy", "ignore_warnings", or "ignore"; not ${quote(service.OnUpdate)}`)
  }
  if (service.Provider === 'nomad') texts.push(...nomadProblems(service))
  else if (service.Provider === 'consul') texts.push(...consulProblems(service))
  else texts.push(`Service provider must be "consul", or "nomad"; not ${quote(service.Provider)}`)
  return texts
}

/** References are filled in at run time: only the rest of the name is looked at. */
function isValidName(service: Service): boolean {
  const name = service.Name.replace(/\$\{[^}]*\}/g, '')
  if (service.Name.includes('${')) return /^[A-Za-z0-9-]*$/.test(name)
  return name.length <= NAME_LENGTH_MAX && /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/.test(name) && CONSUL_NAME.test(name)
}

function nomadProblems(service: Service): string[] {
  const texts = (service.Checks ?? []).flatMap(nomadCheckProblems)
  if (service.Connect !== null) texts.push('Service with provider nomad cannot include Connect blocks')
  return texts
}

/** The first problem of a check is the one that is told. */
function nomadCheckProblems(check: ServiceCheck): string[] {
  if (!NOMAD_CHECKS.includes(check.Type)) return [`invalid check type (${quote(check.Type)}), must be one of ${NOMAD_CHECKS.join(', ')}`]
  const common = commonCheckProblems(check)
  if (common.length > 0) return common
  if (!NOMAD_METHODS.has(check.Method)) return [`method type ${quote(check.Method)} not supported in Nomad http check`]
  if (check.SuccessBeforePassing !== 0) return ['success_before_passing may only be set for Consul service checks']
  if (check.FailuresBeforeCritical !== 0) return ['failures_before_critical may only be set for Consul service checks']
  if (check.FailuresBeforeWarning !== 0) return ['failures_before_warning may only be set for Consul service checks']
  return []
}

function consulProblems(service: Service): string[] {
  const texts = (service.Checks ?? []).flatMap((check) => {
    const problems = consulCheckProblems(check)
    return problems.length === 0 ? [] : [`Check ${check.Name} invalid: ${problems[0]}`]
  })
  const connect = service.Connect
  if (connect !== null) {
    const kinds = [connect.Native, connect.SidecarService !== null, connect.Gateway !== null].filter(Boolean).length
    if (kinds !== 1) texts.push('Consul Connect must be exclusively native, make use of a sidecar, or represent a Gateway')
    else if (connect.Native && service.TaskName === '')
      texts.push(`Service ${service.Name} is Connect Native and requires setting the task`)
  }
  return texts
}

function consulCheckProblems(check: ServiceCheck): string[] {
  if (!CONSUL_CHECKS.includes(check.Type)) return [`invalid check type (${quote(check.Type)}), must be one of ${CONSUL_CHECKS.join(', ')}`]
  const common = commonCheckProblems(check)
  if (common.length > 0) return common
  if (check.Type === 'script' && check.Command === '') return ['script type must have command']
  if (!['', 'passing', 'warning', 'critical'].includes(check.InitialStatus)) {
    return [`invalid initial check state (${check.InitialStatus}), must be one of "passing", "warning", "critical" or empty`]
  }
  return []
}

function commonCheckProblems(check: ServiceCheck): string[] {
  if (check.Type === 'http' && check.Path === '') return ['http type must have http path']
  if (check.Type === 'http' && check.Path.startsWith('http')) return ['relative http path required']
  if (check.Interval === 0) return [`missing required value interval. Interval cannot be less than ${formatDuration(INTERVAL_MIN)}`]
  if (check.Interval < INTERVAL_MIN)
    return [`interval (${formatDuration(check.Interval)}) cannot be lower than ${formatDuration(INTERVAL_MIN)}`]
  if (check.Timeout === 0) return [`missing required value timeout. Timeout cannot be less than ${formatDuration(INTERVAL_MIN)}`]
  if (check.Timeout < INTERVAL_MIN)
    return [`timeout (${formatDuration(check.Timeout)}) is lower than required minimum timeout ${formatDuration(INTERVAL_MIN)}`]
  const restart = checkRestartProblems(check)
  return restart.length === 0 ? [] : [listText(restart)]
}

function checkRestartProblems({ CheckRestart }: ServiceCheck): string[] {
  if (CheckRestart === null) return []
  const texts: string[] = []
  if (CheckRestart.Limit < 0) texts.push(`limit must be greater than or equal to 0 but found ${CheckRestart.Limit}`)
  if (CheckRestart.Grace < 0) texts.push(`grace period must be greater than or equal to 0 but found ${CheckRestart.Grace}`)
  return texts
}

/** Services of a task: as above, and their ports are ports of the task or the group. */
export function taskServiceTexts(group: TaskGroup, services: readonly Service[], taskNetworks: TaskGroup['Networks']): string[] {
  const texts = services.flatMap((service, at) => wrapTexts(`service[${at}] ${service.Name} validation failed: `, serviceProblems(service)))
  for (const service of services) {
    if (service.AddressMode === 'alloc')
      texts.push(
        `service ${quote(service.Name)} cannot use address_mode="alloc", only services defined in a "group" block can use this mode`,
      )
  }
  const known = new Set(
    [...(group.Networks ?? []), ...(taskNetworks ?? [])]
      .flatMap((network) => [...(network.ReservedPorts ?? []), ...(network.DynamicPorts ?? [])])
      .map(({ Label }) => Label),
  )
  const wanted = new Map<string, string[]>()
  for (const service of services) {
    const isNumber = /^[0-9]+$/.test(service.PortLabel)
    if (service.PortLabel === '' || known.has(service.PortLabel) || (isNumber && service.AddressMode === 'driver')) continue
    wanted.set(service.PortLabel, [...(wanted.get(service.PortLabel) ?? []), service.Name])
  }
  for (const [port, names] of wanted) texts.push(`port label ${quote(port)} referenced by services ${names.join(', ')} does not exist`)
  return texts.length === 0 ? [] : [listText(texts)]
}
