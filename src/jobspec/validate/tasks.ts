/** Tasks and their parts. */
import { formatDuration, type Resources, type Task, type TaskArtifact, type TaskGroup, type Template } from '../../domain/index.js'
import { affinityTexts, constraintTexts, deviceConstraintTexts, isDistinct } from './constraints.js'
import { identityTexts } from './identities.js'
import { listText, quote, wrapTexts } from './problem.js'
import { taskServiceTexts } from './services.js'
import { mountTexts } from './volumes.js'

const CPU_MIN = 1
const MEMORY_MIN = 10
const NAME = /^[a-zA-Z0-9-_]{1,128}$/
const SECRET_NAME = /^[a-zA-Z0-9_]{1,128}$/

/** In the order in which Nomad tells them. */
export function taskTexts(jobType: string, group: TaskGroup, task: Task): string[] {
  return [
    ...basicTexts(jobType, group, task),
    ...listed(resourceTexts(task.Resources)),
    ...listed(logTexts(group, task)),
    ...(task.Constraints ?? []).flatMap((constraint, at) => [
      ...constraintTexts([constraint], at),
      ...(isDistinct(constraint) ? [`Constraint ${at + 1} has disallowed Operand at task level: ${constraint.Operand}`] : []),
    ]),
    ...(jobType === 'system'
      ? (task.Affinities ?? []).length > 0
        ? ['System jobs may not have an affinity block']
        : []
      : affinityTexts(task.Affinities)),
    ...taskServiceTexts(group, task),
    ...(task.Artifacts ?? []).flatMap((artifact, at) => wrapTexts(`Artifact ${at + 1} validation failed: `, artifactProblems(artifact))),
    ...vaultTexts(task),
    ...templateTexts(task.Templates ?? []),
    ...actionTexts(task),
    ...payloadTexts(task),
    ...lifecycleTexts(task),
    ...proxyTexts(group, task),
    ...mountTexts(group, task.VolumeMounts ?? []),
    ...pluginTexts(task),
    ...identityTexts(task),
    ...secretTexts(task),
  ]
}

function listed(texts: readonly string[]): string[] {
  return texts.length === 0 ? [] : [listText(texts)]
}

function basicTexts(jobType: string, group: TaskGroup, task: Task): string[] {
  const texts: string[] = []
  if (task.Name === '') texts.push('Missing task name')
  if (/[/\\]/.test(task.Name)) texts.push('Task name cannot include slashes')
  else if (task.Name.includes('\0')) texts.push('Task name cannot include null characters')
  if (task.Driver === '') texts.push('Missing task driver')
  if (task.KillTimeout < 0) texts.push('KillTimeout must be a positive value')
  else {
    const deadline = group.Update?.ProgressDeadline ?? 0
    if (jobType === 'service' && deadline > 0 && task.KillTimeout > deadline)
      texts.push(`KillTimout (${formatDuration(task.KillTimeout)}) longer than the group's ProgressDeadline (${formatDuration(deadline)})`)
  }
  if (task.ShutdownDelay < 0) texts.push('ShutdownDelay must be a positive value')
  return texts
}

function resourceTexts(resources: Resources): string[] {
  const texts: string[] = []
  const { CPU, Cores, MemoryMB, MemoryMaxMB, SecretsMB } = resources
  if (Cores > 0 && CPU > 0) texts.push("Task can only ask for 'cpu' or 'cores' resource, not both.")
  if (Cores < 0) texts.push(`cores value (${Cores}) cannot be negative`)
  const minimum: string[] = []
  if (Cores === 0 && CPU < CPU_MIN) minimum.push(`minimum CPU value is ${CPU_MIN}; got ${CPU}`)
  if (MemoryMB < MEMORY_MIN) minimum.push(`minimum MemoryMB value is ${MEMORY_MIN}; got ${MemoryMB}`)
  if (minimum.length > 0) texts.push(listText(minimum))
  for (const [at, device] of (resources.Devices ?? []).entries())
    texts.push(...wrapTexts(`device ${at + 1} failed validation: `, deviceProblems(device)))
  const requested = new Set((resources.Devices ?? []).map(({ Name }) => Name))
  for (const device of resources.NUMA?.Devices ?? [])
    if (!requested.has(device)) texts.push(`numa device ${quote(device)} not requested as task resource`)
  if (resources.NUMA !== null && !['none', 'prefer', 'require'].includes(resources.NUMA.Affinity))
    texts.push('numa affinity must be one of none, prefer, or require')
  if (MemoryMaxMB !== 0 && MemoryMaxMB !== -1 && MemoryMaxMB < MemoryMB)
    texts.push(`MemoryMaxMB value (${MemoryMaxMB}) should be larger than MemoryMB value (${MemoryMB})`)
  if (SecretsMB > MemoryMB) texts.push(`SecretsMB value (${SecretsMB}) cannot be larger than MemoryMB value (${MemoryMB})`)
  if (SecretsMB < 0) texts.push(`SecretsMB value (${SecretsMB}) cannot be negative`)
  return texts
}

function deviceProblems(device: NonNullable<Resources['Devices']>[number]): string[] {
  const texts: string[] = []
  if (device.Name === '') texts.push('device name must be given as one of the following: type, vendor/type, or vendor/type/name')
  return [...texts, ...deviceConstraintTexts(device.Constraints), ...affinityTexts(device.Affinities)]
}

function logTexts(group: TaskGroup, { LogConfig }: Task): string[] {
  const texts: string[] = []
  const { MaxFiles, MaxFileSizeMB } = LogConfig
  if (MaxFiles < 1) texts.push(`minimum number of files is 1; got ${MaxFiles}`)
  if (MaxFileSizeMB < 1) texts.push(`minimum file size is 1MB; got ${MaxFileSizeMB}`)
  const total = MaxFiles * MaxFileSizeMB
  if (total >= group.EphemeralDisk.SizeMB)
    texts.push(`log storage (${total} MB) must be less than requested disk capacity (${group.EphemeralDisk.SizeMB} MB)`)
  return texts
}

const CHECKSUM_BYTES: Readonly<Record<string, number>> = { md5: 16, sha1: 20, sha256: 32, sha512: 64 }

function artifactProblems(artifact: TaskArtifact): string[] {
  const texts: string[] = []
  if (artifact.GetterSource === '') texts.push('source must be specified')
  if (!['', 'any', 'file', 'dir'].includes(artifact.GetterMode))
    texts.push(`invalid artifact mode ${quote(artifact.GetterMode)}; must be one of: any, file, dir`)
  if (escapes(artifact.RelativeDest)) texts.push('destination escapes allocation directory')
  const checksum = artifact.GetterOptions?.['checksum']
  if (checksum !== undefined) texts.push(...checksumProblems(checksum))
  return texts
}

function checksumProblems(checksum: string): string[] {
  if (checksum.trim() === '') return ['checksum value cannot be empty']
  if (checksum.includes('${')) return []
  const [type, value, ...rest] = checksum.split(':')
  if (type === undefined || value === undefined || rest.length > 0)
    return [`checksum must be given as "type:value"; got ${quote(checksum)}`]
  const odd = value.length % 2 === 1
  const bad = [...value].find((char) => !/[0-9a-fA-F]/.test(char))
  if (bad !== undefined)
    return [`invalid checksum: encoding/hex: invalid byte: U+${bad.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')} '${bad}'`]
  if (odd) return ['invalid checksum: encoding/hex: odd length hex string']
  const size = Object.hasOwn(CHECKSUM_BYTES, type) ? CHECKSUM_BYTES[type] : undefined
  if (size === undefined) return [`unsupported checksum type: ${type}`]
  return value.length / 2 === size ? [] : [`invalid ${type} checksum: ${value}`]
}

/** Does the path leave the allocation's folder, seen from a folder that lies `depth` below it? */
function escapes(path: string, from = 1): boolean {
  let depth = from
  for (const part of path.split('/')) {
    if (part === '..') depth--
    else if (part !== '' && part !== '.') depth++
    if (depth < 0) return true
  }
  return false
}

function vaultTexts({ Vault }: Task): string[] {
  if (Vault === null) return []
  const texts: string[] = []
  if (!['noop', 'restart', 'signal', ''].includes(Vault.ChangeMode)) texts.push(`Unknown change mode ${quote(Vault.ChangeMode)}`)
  if (Vault.ChangeMode === 'signal' && Vault.ChangeSignal === '') texts.push('Signal must be specified when using change mode "signal"')
  return wrapTexts('Vault validation failed: ', texts)
}

function templateTexts(templates: readonly Template[]): string[] {
  const texts: string[] = []
  const destinations = new Map<string, number>()
  for (const [at, template] of templates.entries()) {
    texts.push(...wrapTexts(`Template ${at + 1} validation failed: `, templateProblems(template)))
    const other = destinations.get(template.DestPath)
    if (other !== undefined) texts.push(`Template ${at + 1} has same destination as ${other}`)
    else destinations.set(template.DestPath, at + 1)
  }
  return texts
}

function templateProblems(template: Template): string[] {
  const texts: string[] = []
  if (template.SourcePath === '' && template.EmbeddedTmpl === '') texts.push('Must specify a source path or have an embedded template')
  if (template.DestPath === '') texts.push('Must specify a destination for the template')
  if (escapes(template.DestPath)) texts.push('destination escapes allocation directory')
  texts.push(...changeProblems(template))
  if (template.Splay < 0) texts.push('Must specify positive splay value')
  if (template.Perms !== '' && !(/^[0-7]+$/.test(template.Perms) && Number.parseInt(template.Perms, 8) <= 0o7777)) {
    const reason = /^[0-7]+$/.test(template.Perms) ? 'value out of range' : 'invalid syntax'
    texts.push(`Failed to parse ${quote(template.Perms)} as octal: strconv.ParseUint: parsing ${quote(template.Perms)}: ${reason}`)
  }
  const { Wait } = template
  if (Wait?.Min != null && Wait.Max != null && Wait.Min > Wait.Max)
    texts.push(`wait min ${formatDuration(Wait.Min)} is greater than max ${formatDuration(Wait.Max)}`)
  return texts
}

function changeProblems(template: Template): string[] {
  switch (template.ChangeMode) {
    case 'noop':
    case 'restart':
      return []
    case 'signal':
      if (template.ChangeSignal === '') return ['Must specify signal value when change mode is signal']
      return template.Envvars ? ['cannot use signals with env var templates'] : []
    case 'script':
      if (template.ChangeScript === null) return ['must specify change script configuration value when change mode is script']
      return template.ChangeScript.Command === '' ? ['must specify script path value when change mode is script'] : []
    default:
      return ['Invalid change mode. Must be one of the following: noop, signal, script, restart']
  }
}

function lifecycleTexts({ Lifecycle }: Task): string[] {
  if (Lifecycle === null) return []
  if (Lifecycle.Hook === '') return ['Lifecycle validation failed: no lifecycle hook provided']
  return ['prestart', 'poststart', 'poststop'].includes(Lifecycle.Hook)
    ? []
    : [`Lifecycle validation failed: invalid hook: ${Lifecycle.Hook}`]
}

const PROXY_KIND = 'connect-proxy:'

/** A proxy of Consul's mesh stands before a service of its group, and is none itself. */
function proxyTexts(group: TaskGroup, task: Task): string[] {
  const name = task.Kind.slice(PROXY_KIND.length)
  if (!task.Kind.startsWith(PROXY_KIND) || name === '') return []
  const texts: string[] = []
  if ((task.Services ?? []).length > 0) texts.push('Connect proxy task must not have a service block')
  if (task.Leader) texts.push('Connect proxy task must not have leader set')
  const known = (group.Services ?? []).filter(({ Connect }) => Connect?.SidecarService != null).map(({ Name }) => Name)
  if (known.length === 0) texts.push(`No Connect services in task group with Connect proxy (${quote(name)})`)
  else if (!known.includes(name))
    texts.push(`Connect proxy service name (${quote(name)}) not found in Connect services from task group: [${known.join(' ')}]`)
  return texts
}

/** `<task>/local`, where a payload is written. */
const LOCAL_FOLDER_DEPTH = 2

const PLUGIN_TYPES: ReadonlySet<string> = new Set(['node', 'controller', 'monolith'])

function pluginTexts({ CSIPluginConfig }: Task): string[] {
  if (CSIPluginConfig === null) return []
  const texts: string[] = []
  if (CSIPluginConfig.ID === '') texts.push('CSIPluginConfig must have a non-empty PluginID')
  if (!PLUGIN_TYPES.has(CSIPluginConfig.Type))
    texts.push(`CSIPluginConfig PluginType must be one of 'node', 'controller', or 'monolith', got: ${quote(CSIPluginConfig.Type)}`)
  const { MountDir, StagePublishBaseDir } = CSIPluginConfig
  if (`${StagePublishBaseDir}/`.startsWith(`${MountDir}/`)) {
    const got = `StagePublishBaseDir=${quote(StagePublishBaseDir)} MountDir=${quote(MountDir)}`
    texts.push(`CSIPluginConfig StagePublishBaseDir must not be a subdirectory of MountDir, got: ${got}`)
  }
  return texts
}

function payloadTexts({ DispatchPayload }: Task): string[] {
  return DispatchPayload !== null && escapes(DispatchPayload.File, LOCAL_FOLDER_DEPTH)
    ? ['Dispatch Payload validation failed: destination escapes allocation directory']
    : []
}

function actionTexts({ Actions }: Task): string[] {
  const texts: string[] = []
  /** How often each name was met; a name is told once. */
  const seen = new Map<string, number>()
  for (const action of Actions ?? []) {
    const problems: string[] = []
    if (action.Command === '') problems.push(`command cannot be empty`)
    if (!NAME.test(action.Name)) problems.push(`invalid name '${action.Name}'`)
    texts.push(...wrapTexts(`Action ${action.Name} validation failed: `, problems))
    const count = (seen.get(action.Name) ?? 0) + 1
    if (count === 2) texts.push(`Action ${action.Name} defined multiple times`)
    seen.set(action.Name, count)
  }
  return texts
}

function secretTexts({ Secrets, Vault }: Task): string[] {
  const seen = new Set<string>()
  return (Secrets ?? []).flatMap((secret) => {
    const name = quote(secret.Name)
    const texts: string[] = []
    if (seen.has(secret.Name)) texts.push(`Duplicate secret ${name} found`)
    seen.add(secret.Name)
    if (secret.Provider === 'vault' && Vault === null) texts.push(`Secret ${name} has provider "vault" but no vault block`)
    return [...texts, ...wrapTexts(`Secret ${name} is invalid: `, secretProblems(secret))]
  })
}

function secretProblems(secret: NonNullable<Task['Secrets']>[number]): string[] {
  const texts: string[] = []
  const isOwn = secret.Provider === 'nomad' || secret.Provider === 'vault'
  if (secret.Name === '') texts.push('secret name cannot be empty')
  if (!SECRET_NAME.test(secret.Name)) texts.push(`secret name must match regex ${SECRET_NAME.source}`)
  if (secret.Provider === '') texts.push('secret provider cannot be empty')
  if (secret.Path === '') texts.push('secret path cannot be empty')
  if (isOwn && Object.keys(secret.Env ?? {}).length > 0) texts.push(`${secret.Provider} provider cannot use the env block`)
  if (!isOwn && Object.keys(secret.Config ?? {}).length > 0)
    texts.push(`custom plugin provider ${secret.Provider} cannot use the config block`)
  return texts
}
