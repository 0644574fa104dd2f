/** Configuration files: YAML, one schema per program, every mistake told at once. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { dockerOptionsSchema } from '../adapters/drivers/docker/options.js'
import { execOptionsSchema } from '../adapters/drivers/exec/options.js'
import { COLLECTION_DEFAULTS } from '../agent/index.js'
import { TerminalError } from '../domain/index.js'
import { sourceSchema, sourcesSchema } from './source-config.js'

const MS_PER_HOUR = 3_600_000

const HTTP_DEFAULT = '127.0.0.1:4646'

const address = z.string().regex(/^[^\s:]*:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i, 'an address as in 127.0.0.1:4646')

const httpSchema = z
  .union([
    address,
    z.strictObject({
      address: address.default(HTTP_DEFAULT),
      /** Names by which this server is reached, beside those of its machine; `.example.org` for all below, `*` for any. */
      allowed_hosts: z.array(z.string().min(1)).default([]),
    }),
  ])
  .transform((given) => (typeof given === 'string' ? { address: given, allowed_hosts: [] } : given))

const natsSchema = z.strictObject({
  url: z.string().min(1),
  /** File with the nkey seed to sign in with; absent: this program's own key, which a broker without accounts does not ask for. */
  seed_file: z.string().optional(),
  /** File with a token, for a broker that asks for one. */
  token_file: z.string().optional(),
})

export const serverConfigSchema = z.strictObject({
  data_dir: z.string().min(1),
  http: httpSchema.prefault(HTTP_DEFAULT),
  limits: z
    .strictObject({
      /** Connections of one address at the same time; 0: any number. */
      http_max_conns_per_client: z.int().nonnegative().default(100),
    })
    .prefault({}),
  region: z.string().default('global'),
  datacenter: z.string().default('dc1'),
  name: z.string().default('server-1'),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** Absent: the agents run in this process over a bus of their own. */
  nats: natsSchema.optional(),
  /** Configurations of agents that run inside this process. */
  local_agents: z.array(z.string()).default([]),
  /** The first: it declares the hosts, and may do everything. */
  source: sourceSchema,
  /** Further ones, by name. */
  sources: sourcesSchema,
  nodes: z
    .strictObject({
      /** By the size of the cluster where it is not given. */
      heartbeat_ttl_seconds: z.number().positive().optional(),
      /** Hosts of this machine whose keys need not be declared: declarations without a key are theirs, in order of path. */
      bound_keys: z.array(z.strictObject({ name: z.string(), public_key: z.string() })).default([]),
    })
    .prefault({}),
  /** How far back `--at` can look. */
  history: z
    .strictObject({
      hours: z.number().nonnegative().default(24),
      /** Changes of the state; what is kept of it takes about a kilobyte each. */
      commands_max: z.number().int().nonnegative().default(200_000),
    })
    .prefault({}),
  /** Where who did what is written down. Absent: it is only kept in memory. */
  audit: z
    .strictObject({
      file: z.string().min(1),
      size_mib: z.number().positive().default(10),
      /** The one that is written to among them. */
      files: z.number().int().positive().default(5),
    })
    .optional(),
  /** Spans of commits, to a collector of OpenTelemetry over OTLP/HTTP. Absent: none, and nothing of it is loaded. */
  traces: z
    .strictObject({
      /** The whole of it, as in http://127.0.0.1:4318/v1/traces. */
      url: z.url({ protocol: /^https?$/ }),
      /** Where the bearer token is that the collector asks for. */
      token_file: z.string().min(1).optional(),
      token_env: z.string().min(1).optional(),
    })
    .refine(({ token_file, token_env }) => token_file === undefined || token_env === undefined, 'token_file or token_env, not both')
    .optional(),
  /** How long after its end something is forgotten. */
  garbage: z
    .strictObject({
      evaluation_seconds: z.number().positive().default(3_600),
      batch_evaluation_seconds: z.number().positive().default(86_400),
      job_seconds: z.number().positive().default(14_400),
      deployment_seconds: z.number().positive().default(3_600),
      node_seconds: z.number().positive().default(86_400),
    })
    .prefault({}),
  api: z
    .strictObject({
      /** `runtime`: acts on what runs are carried out over the API too, and told of in the log. */
      writes: z.enum(['none', 'runtime']).default('none'),
      /** Without access control whoever reaches the API would read every secret: so only where that is wanted. */
      show_variables: z.boolean().default(false),
    })
    .prefault({}),
  identity: z
    .strictObject({
      /** Where others reach this server's `/.well-known/`: stands in every token of a workload. Absent: discovery is off. */
      issuer: z.url({ protocol: /^https?$/ }).optional(),
    })
    .prefault({}),
})

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
      raw_exec: z.strictObject({ enabled: z.boolean().default(true) }).prefault({}),
    })
    .prefault({}),
})

export type AgentConfig = z.infer<typeof agentConfigSchema>
export type ServerConfig = z.infer<typeof serverConfigSchema>

/** @throws TerminalError CONFIG with every mistake, each with its place */
export function readConfig<Schema extends z.ZodType>(path: string, schema: Schema): z.infer<Schema> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new TerminalError('CONFIG', `the configuration ${path} cannot be read; name an existing file with --config`, { path }, cause)
  }
  const document = parseDocument(text)
  const syntax = document.errors[0]
  if (syntax !== undefined) throw new TerminalError('CONFIG', `the configuration ${path} is no YAML: ${syntax.message}`, { path })
  return checkConfig(path, document.toJS() ?? {}, schema)
}

/** @throws TerminalError CONFIG */
export function checkConfig<Schema extends z.ZodType>(path: string, value: unknown, schema: Schema): z.infer<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return Object.freeze(result.data) as z.infer<Schema>
  const mistakes = result.error.issues.map((issue) => `  ${issue.path.join('.') || '(top)'}: ${issue.message}`)
  throw new TerminalError('CONFIG', `the configuration ${path} has ${mistakes.length} mistake(s):\n${mistakes.join('\n')}`, { path })
}
