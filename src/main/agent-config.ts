/** The configuration of an agent. */
import { hostname } from 'node:os'
import * as z from 'zod'
import { dockerOptionsSchema } from '../adapters/drivers/docker/options.js'
import { execOptionsSchema } from '../adapters/drivers/exec/options.js'
import { qemuOptionsSchema } from '../adapters/drivers/qemu/options.js'
import { COLLECTION_DEFAULTS } from '../agent/index.js'
import { natsSchema } from './config.js'

const MS_PER_HOUR = 3_600_000

/** A job asks for `vendor/type/model`. */
const deviceWord = z.string().regex(/^[^/\s]+$/, 'a word without a slash')
const deviceNode = z.string().startsWith('/dev/', 'a path below /dev')

export const agentConfigSchema = z.strictObject({
  data_dir: z.string().min(1),
  /** Only for people: what a host is called is what its declaration is called. */
  name: z.string().default(hostname),
  region: z.string().default('global'),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  nats: natsSchema.optional(),
  /** Public keys of servers to believe, before and besides those that this host learns when it joins. */
  server_keys: z.array(z.string()).default([]),
  artifacts: z
    .strictObject({
      /** Addresses of this host, its network and clouds' metadata: whoever writes a job could read from them through this host. */
      allow_private_addresses: z.boolean().default(false),
      allow_insecure: z.boolean().default(false),
      size_max_gib: z.number().positive().default(100),
      files_max: z.number().int().positive().default(4_096),
    })
    .prefault({}),
  network: z
    .strictObject({
      /** Of group networks in mode "bridge". An interface's name has at most 15 characters. */
      bridge_name: z
        .string()
        .regex(/^[A-Za-z0-9_.-]{1,15}$/)
        .default('drover'),
      bridge_subnet: z.string().default('172.26.64.0/20'),
      bridge_hairpin_mode: z.boolean().default(false),
      /** Where CNI plugins are looked for, in order. */
      cni_path: z.array(z.string()).default(['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni']),
      /** Configurations of this host, for mode "cni/<name>". */
      cni_config_dir: z.string().default('/opt/cni/config'),
    })
    .prefault({}),
  secrets: z
    .strictObject({
      /** Secret keys of age that open encrypted variables. Read when there is something to open; only their owner may read them. */
      identity_files: z.array(z.string()).default([]),
    })
    .prefault({}),
  /** Given to tasks that ask for them by a "device" block. */
  devices: z
    .array(
      z.strictObject({
        vendor: deviceWord,
        type: deviceWord,
        /** May hold slashes. */
        model: z.string().min(1),
        instances: z.record(z.string().min(1), z.array(deviceNode)),
        shared_nodes: z.array(deviceNode).default([]),
        ids_variable: z.string().min(1).optional(),
        env: z.record(z.string(), z.string()).default({}),
        attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
      }),
    )
    .refine((all) => new Set(all.map(({ vendor, type, model }) => `${vendor}/${type}/${model}`)).size === all.length, {
      error: 'two of one vendor, type and model; put their instances together',
    })
    .default([]),
  /** What is kept of allocations that have ended. */
  collection: z
    .strictObject({
      ended_max: z.int().nonnegative().default(COLLECTION_DEFAULTS.endedMax),
      age_hours_max: z
        .number()
        .positive()
        .default(COLLECTION_DEFAULTS.ageMsMax / MS_PER_HOUR),
      /** Share of the file system's space, or of its inodes, above which nothing is kept. */
      disk_percent_max: z.number().min(0).max(100).default(COLLECTION_DEFAULTS.diskPercentMax),
      inode_percent_max: z.number().min(0).max(100).default(COLLECTION_DEFAULTS.inodePercentMax),
    })
    .prefault({}),
  /** What this host allows its tasks, see hosts.md. */
  drivers: z
    .strictObject({
      docker: dockerOptionsSchema.prefault({}),
      exec: execOptionsSchema.prefault({}),
      java: execOptionsSchema.prefault({}),
      qemu: qemuOptionsSchema.prefault({}),
      raw_exec: z.strictObject({ enabled: z.boolean().default(true) }).prefault({}),
    })
    .prefault({}),
})

export type AgentConfig = z.infer<typeof agentConfigSchema>
