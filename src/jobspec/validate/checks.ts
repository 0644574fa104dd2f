/** Checks of services, as each provider takes them. The first problem of a check is the one that is told. */
import { formatDuration, SECOND, type Service, type ServiceCheck } from '../../domain/index.js'
import { listText, quote, quoteAscii } from './problem.js'

const INTERVAL_MIN = SECOND
const NOTES_LENGTH_MAX = 255
const NOMAD_TYPES = ['tcp', 'http']
const CONSUL_TYPES = ['grpc', 'tcp', 'http', 'script']
/** Types of checks that ask a port. */
export const WITH_PORT: ReadonlySet<string> = new Set(['grpc', 'tcp', 'http'])
const METHODS: ReadonlySet<string> = new Set(['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])
const INITIAL_STATES: ReadonlySet<string> = new Set(['', 'passing', 'warning', 'critical'])
const ADDRESS_MODES: ReadonlySet<string> = new Set(['', 'alloc', 'driver', 'host'])
export const ON_UPDATE_MODES: ReadonlySet<string> = new Set(['', 'require_healthy', 'ignore_warnings', 'ignore'])

export function checkTexts(service: Service): string[] {
  return (service.Checks ?? []).flatMap((check) => {
    if (service.PortLabel === '' && check.PortLabel === '' && WITH_PORT.has(check.Type)) {
      const problem = `check requires a port but neither check nor service ${quoteAscii(service.Name)} have a port`
      return [`Check ${check.Name} invalid: ${problem}`]
    }
    if (service.Provider === 'nomad') return nomadProblem(check) ?? []
    const problem = service.Connect?.SidecarService != null && kindOf(check) === 'tcp' ? TCP_OF_SIDECAR : consulProblem(check)
    return problem === undefined ? [] : [`Check ${check.Name} invalid: ${problem}`]
  })
}

const TCP_OF_SIDECAR = 'tcp checks are not valid for Connect enabled services'

/** Its type, however it is written. */
function kindOf({ Type }: ServiceCheck): string {
  return Type.toLowerCase()
}

function nomadProblem(check: ServiceCheck): string | undefined {
  const forConsul = (member: string): string => `${member} may only be set for Consul service checks`
  return (
    commonProblem(check, NOMAD_TYPES) ??
    (check.Expose ? forConsul('expose') : undefined) ??
    (check.OnUpdate === 'ignore_warnings' ? 'on_update may only be set to ignore_warnings for Consul service checks' : undefined) ??
    (check.CheckRestart?.IgnoreWarnings === true
      ? 'ignore_warnings on check_restart only supported for Consul service checks'
      : undefined) ??
    (check.AddressMode === 'driver' ? forConsul('address_mode = driver') : undefined) ??
    (check.Type === 'http' && !METHODS.has(check.Method.toUpperCase())
      ? `method type ${quote(check.Method)} not supported in Nomad http check`
      : undefined) ??
    (check.SuccessBeforePassing > 0 ? forConsul('success_before_passing') : undefined) ??
    (check.FailuresBeforeCritical > 0 ? forConsul('failures_before_critical') : undefined) ??
    (check.FailuresBeforeWarning > 0 ? forConsul('failures_before_warning') : undefined) ??
    (check.TLSServerName === '' ? undefined : forConsul('tls_server_name'))
  )
}

function consulProblem(check: ServiceCheck): string | undefined {
  return commonProblem(check, CONSUL_TYPES) ?? exposeProblem(check) ?? thresholdProblem(check) ?? notesProblem(check)
}

function exposeProblem(check: ServiceCheck): string | undefined {
  return check.Expose && kindOf(check) !== 'http' && kindOf(check) !== 'grpc' ? 'expose may only be set on HTTP or gRPC checks' : undefined
}

function notesProblem(check: ServiceCheck): string | undefined {
  return check.Notes.length > NOTES_LENGTH_MAX ? `notes must not be longer than ${NOTES_LENGTH_MAX} characters` : undefined
}

const WITH_THRESHOLDS: ReadonlySet<string> = new Set(['tcp', 'http', 'grpc'])

function thresholdProblem(check: ServiceCheck): string | undefined {
  if (WITH_THRESHOLDS.has(check.Type)) return undefined
  const notFor = (member: string): string => `${member} not supported for check of type ${quote(check.Type)}`
  if (check.SuccessBeforePassing > 0) return notFor('success_before_passing')
  if (check.FailuresBeforeCritical > 0) return notFor('failures_before_critical')
  return check.FailuresBeforeWarning > 0 ? notFor('failures_before_warning') : undefined
}

function commonProblem(check: ServiceCheck, types: readonly string[]): string | undefined {
  if (!types.includes(kindOf(check))) return `invalid check type (${quote(kindOf(check))}), must be one of ${types.join(', ')}`
  return (
    targetProblem(check) ??
    tooShort('interval', check.Interval, (text) => `interval (${text}) cannot be lower than ${formatDuration(INTERVAL_MIN)}`) ??
    tooShort(
      'timeout',
      check.Timeout,
      (text) => `timeout (${text}) is lower than required minimum timeout ${formatDuration(INTERVAL_MIN)}`,
    ) ??
    (INITIAL_STATES.has(check.InitialStatus)
      ? undefined
      : `invalid initial check state (${check.InitialStatus}), must be one of "passing", "warning", "critical" or empty`) ??
    addressProblem(check) ??
    onUpdateProblem(check) ??
    restartProblem(check)
  )
}

function targetProblem(check: ServiceCheck): string | undefined {
  const { Path, Command } = check
  if (kindOf(check) === 'script') return Command === '' ? 'script type must have a valid script path' : undefined
  if (kindOf(check) !== 'http') return undefined
  if (Path === '') return 'http type must have http path'
  if (/%(?![0-9A-Fa-f]{2})/.test(Path.split('#')[0]!.split('?')[0]!) || /^:/.test(Path)) return 'http type must have valid http path'
  return /^[A-Za-z][A-Za-z0-9+.-]*:/.test(Path) ? 'http type must have relative http path' : undefined
}

function tooShort(member: string, value: number, words: (text: string) => string): string | undefined {
  if (value >= INTERVAL_MIN) return undefined
  const title = member[0]!.toUpperCase() + member.slice(1)
  return value === 0
    ? `missing required value ${member}. ${title} cannot be less than ${formatDuration(INTERVAL_MIN)}`
    : words(formatDuration(value))
}

function addressProblem({ AddressMode }: ServiceCheck): string | undefined {
  if (ADDRESS_MODES.has(AddressMode)) return undefined
  return `invalid address_mode ${quote(AddressMode)}${AddressMode === 'auto' ? ' - auto only valid for services' : ''}`
}

function onUpdateProblem({ OnUpdate, CheckRestart }: ServiceCheck): string | undefined {
  if (!ON_UPDATE_MODES.has(OnUpdate)) return `on_update must be "require_healthy", "ignore_warnings", or "ignore"; got ${quote(OnUpdate)}`
  if (CheckRestart === null) return undefined
  if (OnUpdate === 'ignore') return `on_update value ${quote(OnUpdate)} is not compatible with check_restart`
  return OnUpdate === 'ignore_warnings' && !CheckRestart.IgnoreWarnings
    ? `on_update value ${quote(OnUpdate)} not supported with check_restart ignore_warnings value "false"`
    : undefined
}

function restartProblem({ CheckRestart }: ServiceCheck): string | undefined {
  if (CheckRestart === null) return undefined
  const texts: string[] = []
  if (CheckRestart.Limit < 0) texts.push(`limit must be greater than or equal to 0 but found ${CheckRestart.Limit}`)
  if (CheckRestart.Grace < 0) texts.push(`grace period must be greater than or equal to 0 but found ${CheckRestart.Grace}`)
  return texts.length === 0 ? undefined : listText(texts)
}
