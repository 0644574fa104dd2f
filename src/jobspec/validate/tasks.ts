/** Tasks and their parts. */
import type { Resources, Task, TaskArtifact, TaskGroup, Template, VolumeMount, WorkloadIdentity } from '../../domain/index.js'
import { affinityTexts, constraintTexts, isDistinct } from './constraints.js'
import { scalingTexts } from './policies.js'
import { listText, quote, wrapTexts } from './problem.js'
import { taskServiceTexts } from './services.js'

const CPU_MIN = 1
const MEMORY_MIN = 10
const NAME = /^[a-zA-Z0-9-_]{1,128}$/
const SECRET_NAME = /^[a-zA-Z0-9_]+$/

/** In the order in which Nomad tells them. */
export function taskTexts(jobType: string, group: TaskGroup, task: Task): string[] {
  return [
    ...basicTexts(task),
    ...listed(resourceTexts(task.Resources)),
    ...listed(logTexts(group, task)),
    ...(task.Constraints ?? []).flatMap((constraint, at) =>
      isDistinct(constraint)
        ? [`Constraint ${at + 1} has disallowed Operand at task level: ${constraint.Operand}`]
        : constraintTexts([constraint]).map((text) => text.replace('Constraint 1', `Constraint ${at + 1}`)),
    ),
    ...(jobType === 'system'
      ? (task.Affinities ?? []).length > 0
        ? ['System jobs may not have an affinity block']
        : []
      : affinityTexts(task.Affinities)),
    ...taskServiceTexts(group, task.Services ?? [], task.Resources.Networks),
    ...(task.Artifacts ?? []).flatMap((artifact, at) => wrapTexts(`Artifact ${at + 1} validation failed: `, artifactProblems(artifact))),
    ...vaultTexts(task),
    ...templateTexts(task.Templates ?? []),
    ...lifecycleTexts(task),
    ...mountTexts(group, task.VolumeMounts ?? []),
    ...(task.ScalingPolicies ?? []).flatMap((policy) => wrapTexts('Scaling policy validation failed: ', scalingTexts(policy))),
    ...identityTexts(task),
    ...actionTexts(task),
    ...(task.Secrets ?? []).flatMap((secret) => wrapTexts(`Secret ${quote(secret.Name)} is invalid: `, secretProblems(secret))),
  ]
}

function listed(texts: readonly string[]): string[] {
  return texts.length === 0 ? [] : [listText(texts)]
}

function basicTexts(task: Task): string[] {
  const texts: string[] = []
  if (task.Name === '') texts.push('Missing task name')
  if (/[/\\]/.test(task.Name)) texts.push('Task name cannot include slashes')
  else if (task.Name.includes('\0')) texts.push('Task name cannot include null characters')
  if (task.Driver === '') texts.push('Missing task driver')
  if (task.KillTimeout < 0) texts.push('KillTimeout must be a positive value')
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
  if (device.Count < 1) texts.push('count must be greater than 0')
  return [...texts, ...constraintTexts(device.Constraints), ...affinityTexts(device.Affinities)]
}

function logTexts(group: TaskGroup, { LogConfig }: Task): string[] {
  const texts: string[] = []
  const { MaxFiles, MaxFileSizeMB } = LogConfig
  if (MaxFiles < 1) texts.push(`minimum number of files is 1; got ${MaxFiles}`)
  if (MaxFileSizeMB < 1) texts.push(`minimum file size is 1MB; got ${MaxFileSizeMB}`)
  const total = MaxFiles * MaxFileSizeMB
  if (total >= group.EphemeralDisk.SizeMB && group.EphemeralDisk.SizeMB > 0)
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

/** Does the path leave the allocation's folder? The task's own folder is one below it. */
function escapes(path: string): boolean {
  let depth = 1
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
  if (Wait?.Min != null && Wait.Max != null && Wait.Min > Wait.Max) texts.push(`wait min ${Wait.Min} is greater than max ${Wait.Max}`)
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

function mountTexts(group: TaskGroup, mounts: readonly VolumeMount[]): string[] {
  return mounts.flatMap((mount, at) => {
    const texts: string[] = []
    if (mount.Destination === '') texts.push(`Volume Mount (${at}) has no destination`)
    const isKnown = group.Volumes !== null && Object.hasOwn(group.Volumes, mount.Volume)
    if (mount.Volume === '') texts.push(`Volume Mount (${at}) references an empty volume`)
    else if (!isKnown) texts.push(`Volume Mount (${at}) references undefined volume ${mount.Volume}`)
    if (!['private', 'host-to-task', 'bidirectional'].includes(mount.PropagationMode)) {
      texts.push(
        `Volume Mount (${at}) is invalid: "${listText([`volume mount has an invalid propagation mode: ${quote(mount.PropagationMode)}`])}"`,
      )
    }
    return texts
  })
}

function identityTexts({ Identity, Identities }: Task): string[] {
  return [Identity, ...(Identities ?? [])].flatMap((identity) =>
    identity === null ? [] : wrapTexts(`Identity ${quote(identity.Name)} is invalid: `, identityProblems(identity)),
  )
}

function identityProblems(identity: WorkloadIdentity): string[] {
  const texts: string[] = []
  if (!NAME.test(identity.Name)) texts.push(`invalid name ${quote(identity.Name)}. Must match regex ${NAME.source}`)
  if ((identity.Audience ?? []).includes('')) texts.push('an empty string is an invalid audience')
  if (!['', 'noop', 'restart', 'signal'].includes(identity.ChangeMode)) texts.push(`invalid change_mode: ${identity.ChangeMode}`)
  if (identity.ChangeMode === 'signal' && identity.ChangeSignal === '')
    texts.push('change_signal must be specified when using change_mode="signal"')
  if (identity.TTL < 0) texts.push('ttl must be >= 0')
  return texts
}

function actionTexts({ Actions }: Task): string[] {
  const texts: string[] = []
  const seen = new Set<string>()
  for (const action of Actions ?? []) {
    if (seen.has(action.Name)) texts.push(`Action ${action.Name} defined multiple times`)
    seen.add(action.Name)
    const problems: string[] = []
    if (action.Command === '') problems.push(`command cannot be empty`)
    if (!NAME.test(action.Name)) problems.push(`invalid name '${action.Name}'`)
    texts.push(...wrapTexts(`Action ${action.Name} validation failed: `, problems))
  }
  return texts
}

function secretProblems(secret: NonNullable<Task['Secrets']>[number]): string[] {
  const texts: string[] = []
  if (secret.Name === '') texts.push('secret name cannot be empty')
  else if (!SECRET_NAME.test(secret.Name)) texts.push(`secret name must match regex ${SECRET_NAME.source}`)
  if (secret.Provider === '') texts.push('secret provider cannot be empty')
  if (secret.Path === '') texts.push('secret path cannot be empty')
  return texts
}
