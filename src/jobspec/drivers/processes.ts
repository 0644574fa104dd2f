/** Drivers that run programs of the host. Source: Nomad docs, "Raw Exec", "Isolated Exec", "Java". */
import * as z from 'zod'
import { refused } from '../support/support.js'
import { driverSchema } from './driver-schema.js'
import { flag, mapOf, number, optional, text, texts } from './values.js'

const OWN_GROUP = refused('each task has a control group of its own', 'Take it out.')

export const RAW_EXEC = driverSchema(
  z.strictObject({
    command: text,
    args: optional(texts),
    work_dir: optional(text),
    cgroup_v1_override: optional(mapOf(text)),
    cgroup_v2_override: optional(text),
    oom_score_adj: optional(number),
    denied_envvars: optional(texts),
  }),
  {
    refused: {
      denied_envvars: refused(
        'tasks get the whole environment that is made for them',
        'Unset them in the command, for example with env -u.',
      ),
      oom_score_adj: refused("the score of a task is its host's default", 'Set it in the command, for example with choom.'),
      cgroup_v1_override: OWN_GROUP,
      cgroup_v2_override: OWN_GROUP,
    },
  },
)

const ISOLATION = {
  pid_mode: optional(z.enum(['private', 'host', ''], 'must be "private" or "host"')),
  ipc_mode: optional(z.enum(['private', 'host', ''], 'must be "private" or "host"')),
  cap_add: optional(texts),
  cap_drop: optional(texts),
  work_dir: optional(text),
}

export const EXEC = driverSchema(z.strictObject({ command: text, args: optional(texts), ...ISOLATION }))

const DRIVE_INTERFACES = ['ide', 'scsi', 'sd', 'mtd', 'floppy', 'pflash', 'virtio', 'none', ''] as const

/** Source: Nomad docs, "QEMU Driver". */
export const QEMU = driverSchema(
  z.strictObject({
    image_path: text,
    drive_interface: optional(z.enum(DRIVE_INTERFACES, `must be one of ${DRIVE_INTERFACES.filter(Boolean).join(', ')}`)),
    accelerator: optional(text),
    machine_type: optional(text),
    emulator: optional(z.string('must be a text').regex(/^[A-Za-z0-9_-]*$/, 'must be the kind of a machine, such as "aarch64"')),
    graceful_shutdown: optional(flag),
    guest_agent: optional(flag),
    args: optional(texts),
    port_map: optional(mapOf(number)),
  }),
)

export const JAVA = driverSchema(
  z.strictObject({
    class: optional(text),
    class_path: optional(text),
    jar_path: optional(text),
    jvm_options: optional(texts),
    args: optional(texts),
    ...ISOLATION,
  }),
  { missing: (config) => (config['class'] || config['jar_path'] ? [] : ['jar_path" or "class']) },
)
