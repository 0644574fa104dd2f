/**
 * What each driver takes in `config`, so that a wrong one is found before it is committed. Drivers that are not listed are
 * let through. Values that hold a reference are texts now and whatever the driver wants at run time.
 */
import type { Job, Task } from '../domain/index.js'
import { suggestName } from './mistakes.js'
import { type Refused, refused } from './support/support.js'
import type { Problem } from './validate/problem.js'

export type ConfigType = 'string' | 'number' | 'bool' | 'duration' | 'strings' | 'maps' | 'any'

export interface DriverConfig {
  readonly members: Readonly<Record<string, ConfigType>>
  readonly required: readonly string[]
  /** Members that Nomad's driver acts upon and ours does not. */
  readonly refused?: Readonly<Record<string, Refused>>
}

const COMMAND: Readonly<Record<string, ConfigType>> = { command: 'string', args: 'strings' }

export const DRIVER_CONFIGS: Readonly<Record<string, DriverConfig>> = {
  raw_exec: {
    members: {
      ...COMMAND,
      cgroup_v1_override: 'maps',
      cgroup_v2_override: 'string',
      oom_score_adj: 'number',
      work_dir: 'string',
      denied_envvars: 'strings',
    },
    required: ['command'],
    refused: {
      denied_envvars: refused(
        'tasks get the whole environment that is made for them',
        'Unset them in the command, for example with env -u.',
      ),
      oom_score_adj: refused("the score of a task is its host's default", 'Set it in the command, for example with choom.'),
      cgroup_v1_override: refused('each task has a control group of its own', 'Take it out.'),
      cgroup_v2_override: refused('each task has a control group of its own', 'Take it out.'),
    },
  },
  exec: {
    members: { ...COMMAND, pid_mode: 'string', ipc_mode: 'string', cap_add: 'strings', cap_drop: 'strings', work_dir: 'string' },
    required: ['command'],
  },
  docker: {
    members: {
      image: 'string',
      command: 'string',
      args: 'strings',
      entrypoint: 'any',
      advertise_ipv6_address: 'bool',
      auth: 'maps',
      auth_soft_fail: 'bool',
      cap_add: 'strings',
      cap_drop: 'strings',
      cgroupns: 'string',
      container_exists_attempts: 'number',
      cpu_cfs_period: 'number',
      cpu_hard_limit: 'bool',
      cpuset_cpus: 'string',
      devices: 'maps',
      dns_options: 'strings',
      dns_search_domains: 'strings',
      dns_servers: 'strings',
      extra_hosts: 'strings',
      force_pull: 'bool',
      group_add: 'strings',
      healthchecks: 'maps',
      hostname: 'string',
      image_pull_timeout: 'string',
      init: 'bool',
      interactive: 'bool',
      ipc_mode: 'string',
      ipv4_address: 'string',
      ipv6_address: 'string',
      isolation: 'string',
      labels: 'maps',
      load: 'string',
      logging: 'maps',
      mac_address: 'string',
      memory_hard_limit: 'number',
      mount: 'maps',
      mounts: 'maps',
      network_aliases: 'strings',
      network_mode: 'string',
      oom_score_adj: 'number',
      pid_mode: 'string',
      pids_limit: 'number',
      port_map: 'maps',
      ports: 'strings',
      privileged: 'bool',
      readonly_rootfs: 'bool',
      runtime: 'string',
      security_opt: 'strings',
      shm_size: 'number',
      storage_opt: 'maps',
      sysctl: 'maps',
      tty: 'bool',
      ulimit: 'maps',
      userns_mode: 'string',
      uts_mode: 'string',
      volume_driver: 'string',
      volumes: 'strings',
      windows_allow_insecure_container_admin: 'bool',
      work_dir: 'string',
    },
    required: ['image'],
  },
  mock: {
    members: {
      run_for: 'duration',
      exit_code: 'number',
      exit_signal: 'number',
      exit_err_msg: 'string',
      start_error: 'string',
      start_error_recoverable: 'bool',
      start_block_for: 'duration',
      kill_after: 'duration',
      signal_error: 'string',
    },
    required: [],
  },
}

/** Nomad's own name for it. */
const ALIASES: Readonly<Record<string, string>> = { mock_driver: 'mock' }

export function driverConfigOf(driver: string): DriverConfig | undefined {
  const name = Object.hasOwn(ALIASES, driver) ? ALIASES[driver]! : driver
  return Object.hasOwn(DRIVER_CONFIGS, name) ? DRIVER_CONFIGS[name] : undefined
}

export function driverConfigProblems(job: Job): Problem[] {
  return job.TaskGroups.flatMap((group) =>
    group.Tasks.flatMap((task) => taskProblems(task).map((text) => ({ text, group: group.Name, task: task.Name }))),
  )
}

function taskProblems(task: Task): string[] {
  const schema = driverConfigOf(task.Driver)
  if (schema === undefined) return []
  const config = task.Config ?? {}
  const where = `task "${task.Name}": driver ${task.Driver}`
  const missing = schema.required.filter((name) => !Object.hasOwn(config, name) && !(name === 'image' && Object.hasOwn(config, 'load')))
  return [
    ...missing.map((name) => `${where} requires config "${name}"`),
    ...Object.entries(config).flatMap(([name, value]) => {
      if (!Object.hasOwn(schema.members, name)) {
        const near = suggestName(name, Object.keys(schema.members))
        return [`${where} has no config "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`]
      }
      const type = schema.members[name] ?? 'any'
      return isOfType(value, type) ? [] : [`${where}: config "${name}" must be ${describe(type)}`]
    }),
  ]
}

function isOfType(value: unknown, type: ConfigType): boolean {
  if (type === 'any' || value === null || (typeof value === 'string' && value.includes('${'))) return true
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  switch (type) {
    case 'string':
      return isScalar
    case 'number':
      return typeof value === 'number' || (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)))
    case 'bool':
      return typeof value === 'boolean' || value === 'true' || value === 'false'
    case 'duration':
      return typeof value === 'string' || typeof value === 'number'
    case 'strings':
      return Array.isArray(value) && value.every((item) => ['string', 'number', 'boolean'].includes(typeof item))
    case 'maps':
      return typeof value === 'object'
  }
}

function describe(type: ConfigType): string {
  const words: Readonly<Record<ConfigType, string>> = {
    string: 'a text',
    number: 'a number',
    bool: 'true or false',
    duration: 'a duration',
    strings: 'a list of texts',
    maps: 'a block or several',
    any: 'anything',
  }
  return words[type]
}
