/** What `docker` takes. Source: Nomad docs, "Docker Driver", "Task Configuration". */
import * as z from 'zod'
import { refused } from '../support/support.js'
import { driverSchema } from './driver-schema.js'
import { block, blocks, duration, flag, mapOf, number, optional, text, textOrTexts, texts } from './values.js'

const WINDOWS = refused('containers here are those of Linux', 'Take it out.')

const mount = {
  type: optional(z.enum(['bind', 'volume', 'tmpfs', ''], 'must be "bind", "volume" or "tmpfs"')),
  target: optional(text),
  source: optional(text),
  readonly: optional(flag),
  bind_options: optional(block({ propagation: optional(text) })),
  tmpfs_options: optional(block({ size: optional(number), mode: optional(number) })),
  volume_options: optional(
    block({
      no_copy: optional(flag),
      labels: optional(mapOf(text)),
      driver_config: optional(block({ name: optional(text), options: optional(mapOf(text)) })),
    }),
  ),
}

export const DOCKER = driverSchema(
  z.strictObject({
    image: optional(text),
    advertise_ipv6_address: optional(flag),
    args: optional(texts),
    auth: optional(block({ username: optional(text), password: optional(text), email: optional(text), server_address: optional(text) })),
    auth_soft_fail: optional(flag),
    cap_add: optional(texts),
    cap_drop: optional(texts),
    cgroupns: optional(z.enum(['private', 'host', ''], 'must be "private" or "host"')),
    command: optional(text),
    container_exists_attempts: optional(number),
    cpu_cfs_period: optional(number),
    cpu_hard_limit: optional(flag),
    cpuset_cpus: optional(text),
    devices: optional(blocks({ host_path: text, container_path: optional(text), cgroup_permissions: optional(text) })),
    dns_options: optional(texts),
    dns_search_domains: optional(texts),
    dns_servers: optional(texts),
    entrypoint: optional(textOrTexts),
    extra_hosts: optional(texts),
    force_pull: optional(flag),
    group_add: optional(texts),
    healthchecks: optional(block({ disable: optional(flag) })),
    hostname: optional(text),
    image_pull_timeout: optional(duration),
    init: optional(flag),
    interactive: optional(flag),
    ipc_mode: optional(text),
    ipv4_address: optional(text),
    ipv6_address: optional(text),
    isolation: optional(text),
    labels: optional(mapOf(text)),
    load: optional(text),
    logging: optional(block({ type: optional(text), driver: optional(text), config: optional(mapOf(text)) })),
    mac_address: optional(text),
    memory_hard_limit: optional(number),
    mount: optional(blocks(mount)),
    mounts: optional(blocks(mount)),
    network_aliases: optional(texts),
    network_mode: optional(text),
    oom_score_adj: optional(number),
    pid_mode: optional(text),
    pids_limit: optional(number),
    port_map: optional(mapOf(number)),
    ports: optional(texts),
    privileged: optional(flag),
    readonly_rootfs: optional(flag),
    runtime: optional(text),
    security_opt: optional(texts),
    shm_size: optional(number),
    storage_opt: optional(mapOf(text)),
    sysctl: optional(mapOf(text)),
    tty: optional(flag),
    ulimit: optional(mapOf(text)),
    userns_mode: optional(text),
    uts_mode: optional(text),
    volume_driver: optional(text),
    volumes: optional(texts),
    windows_allow_insecure_container_admin: optional(flag),
    work_dir: optional(text),
  }),
  {
    missing: (config) => (config['image'] || config['load'] ? [] : ['image']),
    refused: {
      isolation: WINDOWS,
      windows_allow_insecure_container_admin: WINDOWS,
      advertise_ipv6_address: refused(
        'services are registered under the address of their host or of their allocation',
        'Take it out, or write the address into the service.',
      ),
    },
  },
)

export type DockerConfig = z.output<typeof DOCKER.schema>
export type DockerMount = NonNullable<DockerConfig['mount']>[number]
