/**
 * What the kernel has said of processes that it ended for want of memory. Engines learn of it by a message of its own, which may come
 * after the container's end or, with podman on control groups of version 1, never. The kernel writes before it kills.
 * Source: kernel docs, ABI/testing/dev-kmsg.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs'

const KERNEL_LOG = '/dev/kmsg'
/** Longer records are not made. */
const RECORD_BYTES_MAX = 8_192

/** False also where the kernel's log may not be read. */
export function wasKilledForMemory(containerId: string): boolean {
  for (const record of readKernelLog()) if (tellsOfMemory(record, containerId)) return true
  return false
}

/** Whether this host's kernel says such a thing to this process. */
export function canReadKernelLog(): boolean {
  return readKernelLog().next().done === false
}

/** @param record as `priority,number,microseconds,flags;text`; the group of a container ends with its id, whoever makes it */
export function tellsOfMemory(record: string, containerId: string): boolean {
  const text = record.slice(record.indexOf(';') + 1)
  if (!text.startsWith('oom-kill:')) return false
  const group = /(?:^|,)task_memcg=([^,]*)/.exec(text)?.[1] ?? ''
  return group.includes(containerId)
}

/** Every record that is still there, a read each, oldest first. */
function* readKernelLog(): Generator<string> {
  const file = openLog()
  if (file === undefined) return
  const buffer = Buffer.allocUnsafe(RECORD_BYTES_MAX)
  try {
    for (;;) {
      const size = readRecord(file, buffer)
      if (size === 'end') return
      if (size !== 'overwritten') yield buffer.toString('utf8', 0, size)
    }
  } finally {
    closeSync(file)
  }
}

function openLog(): number | undefined {
  try {
    return openSync(KERNEL_LOG, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

function readRecord(file: number, buffer: Buffer): number | 'end' | 'overwritten' {
  try {
    return readSync(file, buffer) || 'end'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPIPE' ? 'overwritten' : 'end'
  }
}
