/** What the host's file says of `docker`, in the names of Nomad's plugin. Source: Nomad docs, "Docker Driver", "Plugin Options". */
import * as z from 'zod'

/** What a container may do unless the host's file says otherwise: Docker's own set without raw sockets, as in Nomad. */
export const DEFAULT_CAPABILITIES = [
  'audit_write',
  'chown',
  'dac_override',
  'fowner',
  'fsetid',
  'kill',
  'mknod',
  'net_bind_service',
  'setfcap',
  'setgid',
  'setpcap',
  'setuid',
  'sys_chroot',
] as const

export const dockerOptionsSchema = z.strictObject({
  enabled: z.boolean().default(true),
  /** `unix:///path`, `tcp://host:port`. Absent: DOCKER_HOST, else the socket of Docker or of podman, whichever is there. */
  endpoint: z
    .string()
    .regex(/^(unix:\/\/\/|tcp:\/\/|https?:\/\/)/, 'unix:///path/of/socket or tcp://host:port')
    .optional(),
  tls: z.strictObject({ ca: z.string(), cert: z.string(), key: z.string() }).optional(),
  auth: z
    .strictObject({
      /** A file as `docker login` writes it. */
      config: z.string().optional(),
      /** `docker-credential-<helper>` is asked for every registry. */
      helper: z.string().optional(),
    })
    .prefault({}),
  allow_privileged: z.boolean().default(false),
  allow_caps: z.array(z.string()).default([...DEFAULT_CAPABILITIES]),
  allow_runtimes: z.array(z.string()).default(['runc', 'crun', 'nvidia']),
  volumes: z
    .strictObject({
      /** Whether tasks may mount paths of the host outside their allocation, and use volume drivers. */
      enabled: z.boolean().default(false),
    })
    .prefault({}),
  extra_labels: z.array(z.string()).default([]),
  logging: z.strictObject({ type: z.string().default('json-file'), config: z.record(z.string(), z.string()).optional() }).prefault({}),
  disable_log_collection: z.boolean().default(false),
  pids_limit: z.int().nonnegative().default(0),
  gc: z
    .strictObject({
      /** Images that this agent pulled and that no container uses go after the delay. */
      image: z.boolean().default(true),
      image_delay_seconds: z.number().nonnegative().default(180),
    })
    .prefault({}),
  /** Of the container that holds the network of an allocation, for group networks that are not the host's. */
  infra_image: z.string().default('registry.k8s.io/pause:3.9'),
  pull_activity_timeout_seconds: z.number().positive().default(120),
})

export type DockerOptions = z.output<typeof dockerOptionsSchema>
