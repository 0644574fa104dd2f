/** Volumes that a group asks for, and where its tasks mount them. */
import type { TaskGroup, VolumeMount, VolumeRequest } from '../../domain/index.js'
import { listText, quote, wrapTexts } from './problem.js'

const HOST_ACCESS_MODES: ReadonlySet<string> = new Set([
  '',
  'single-node-writer',
  'single-node-reader-only',
  'single-node-single-writer',
  'single-node-multi-writer',
])
const READER_MODES: ReadonlySet<string> = new Set(['single-node-reader-only', 'multi-node-reader-only'])
const PROPAGATION_MODES: ReadonlySet<string> = new Set(['', 'private', 'host-to-task', 'bidirectional'])
const SELINUX_LABELS: ReadonlySet<string> = new Set(['', 'z', 'Z'])

export function volumeTexts(jobType: string, group: TaskGroup): string[] {
  return Object.entries(group.Volumes ?? {}).flatMap(([name, volume]) =>
    wrapTexts(`Task group volume validation for ${name} failed: `, volumeProblems(jobType, group, volume)),
  )
}

function volumeProblems(jobType: string, group: TaskGroup, volume: VolumeRequest): string[] {
  const texts: string[] = []
  const isSystem = jobType === 'system' || jobType === 'sysbatch'
  if (volume.Source === '') texts.push('volume has an empty source')
  if (volume.PerAlloc && isSystem) texts.push('volume cannot be per_alloc for system or sysbatch jobs')
  if (volume.PerAlloc && (group.Update?.Canary ?? 0) > 0) texts.push('volume cannot be per_alloc when canaries are in use')
  if (volume.PerAlloc && volume.Sticky) texts.push('volume cannot be per_alloc and sticky at the same time')
  return [...texts, ...(volume.Type === 'host' ? hostProblems(volume) : csiProblems(group, volume))]
}

function hostProblems({ AccessMode, ReadOnly, MountOptions }: VolumeRequest): string[] {
  const texts: string[] = []
  if (MountOptions !== null) texts.push('host volumes cannot have mount options')
  if (!HOST_ACCESS_MODES.has(AccessMode)) texts.push(`host volumes cannot be mounted with ${AccessMode} access mode`)
  else if (AccessMode === 'single-node-reader-only' && !ReadOnly) texts.push(`${AccessMode} volumes must be read-only`)
  return texts
}

function csiProblems(group: TaskGroup, volume: VolumeRequest): string[] {
  const texts: string[] = []
  const { AccessMode, AttachmentMode, ReadOnly } = volume
  if (AttachmentMode === '') texts.push('CSI volumes must have an attachment mode')
  else if (AttachmentMode === 'block-device' && volume.MountOptions !== null) texts.push('block devices cannot have mount options')
  if (AccessMode === '') texts.push('CSI volumes must have an access mode')
  if (READER_MODES.has(AccessMode) && !ReadOnly) texts.push(`${AccessMode} volumes must be read-only`)
  const users = usersAllowed(volume)
  if (users !== undefined && group.Count > 1 && !volume.PerAlloc)
    texts.push(`volume with ${AccessMode} access mode allows only one ${users}`)
  return texts
}

/** What there may be one of; undefined where there may be several. */
function usersAllowed({ AccessMode, ReadOnly }: VolumeRequest): string | undefined {
  if (AccessMode === 'single-node-reader-only') return 'reader'
  if (AccessMode === 'single-node-writer') return 'reader or writer'
  return AccessMode === 'multi-node-single-writer' && !ReadOnly ? 'writer' : undefined
}

export function mountTexts(group: TaskGroup, mounts: readonly VolumeMount[]): string[] {
  return mounts.flatMap((mount, at) => {
    const isKnown = group.Volumes !== null && Object.hasOwn(group.Volumes, mount.Volume)
    const texts: string[] = []
    if (mount.Volume === '') texts.push('volume mount references an empty volume')
    if (!PROPAGATION_MODES.has(mount.PropagationMode))
      texts.push(`volume mount has an invalid propagation mode: ${quote(mount.PropagationMode)}`)
    if (!SELINUX_LABELS.has(mount.SELinuxLabel)) texts.push(`volume mount has an invalid SELinux label: ${quote(mount.SELinuxLabel)}`)
    return [
      ...(isKnown ? [] : [`Volume Mount (${at}) references undefined volume ${mount.Volume}`]),
      ...(texts.length === 0 ? [] : [`Volume Mount (${at}) is invalid: "${listText(texts)}"`]),
    ]
  })
}
