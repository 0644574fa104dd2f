/** The configuration of a server. */
import * as z from 'zod'
import { natsSchema } from './config.js'
import { sourceSchema, sourcesSchema } from './source-config.js'

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

export type ServerConfig = z.infer<typeof serverConfigSchema>
