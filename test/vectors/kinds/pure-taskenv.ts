/** `taskenv.json`: the environment of a task, interpolated texts, and driver configuration over both. */
import { configScope, evaluateConfig } from '../../../src/agent/driver-config.js'
import { buildEnvironment, type EnvironmentInput, interpolate, type Variables } from '../../../src/agent/environment.js'
import type { Allocation, AllocNetworkStatus, Job, Node } from '../../../src/domain/index.js'
import { evaluateTemplate } from '../../../src/jobspec/index.js'
import { compareJson } from '../compare.js'
import type { CaseResult, VectorKind } from '../kind.js'

interface Case {
  readonly name: string
  readonly node: Node
  readonly job: Job
  readonly alloc: Allocation
  readonly task: string
  readonly region: string
  readonly dirs: { readonly Alloc?: string; readonly Task?: string; readonly Secrets?: string }
  readonly networkstatus?: AllocNetworkStatus
  readonly drivernetwork?: { readonly PortMap?: Readonly<Record<string, number>> }
  readonly hookenv?: readonly { readonly Env: Variables }[]
  readonly deviceenv?: Variables
  readonly templateenv?: Variables
  readonly vaulttoken?: string
  readonly vaultns?: string
  readonly token?: string
  readonly tokens?: Readonly<Record<string, string>>
  readonly env: Variables
  readonly interpolate?: readonly string[]
  readonly interpolated?: readonly string[]
  readonly config?: readonly string[]
  readonly config_values?: readonly unknown[]
}

export const pureTaskEnv: VectorKind = {
  kind: 'pure/taskenv',
  *run(content) {
    for (const each of content as readonly Case[]) yield runCase(each)
  },
}

function runCase(each: Case): CaseResult {
  const environment = buildEnvironment(inputOf(each))
  const scope = configScope(environment)
  const configs = each.config?.map((text) => {
    const { kind, ...result } = evaluateConfig(text, scope, evaluateTemplate)
    return result
  })
  const mismatches = [
    ...compareJson(each.env, environment.variables, {}, '$.env'),
    ...compareJson(
      each.interpolated ?? [],
      (each.interpolate ?? []).map((text) => interpolate(text, environment)),
      {},
      '$.interpolated',
    ),
    ...compareJson(each.config_values ?? [], configs ?? [], {}, '$.config_values'),
  ]
  return { name: each.name, mismatches }
}

/** Jobs here hold only what matters: the rest is what registration would have filled in. */
function inputOf(each: Case): EnvironmentInput {
  const job = { ...each.job, Name: each.job.Name ?? each.job.ID }
  const group = job.TaskGroups.find(({ Name }) => Name === each.alloc.TaskGroup)!
  const task = group.Tasks.find(({ Name }) => Name === each.task)!
  const { CPU = 100, MemoryMB = 300, MemoryMaxMB = 0 } = task.Resources ?? {}
  return {
    node: each.node,
    job,
    allocation: each.alloc,
    task: { ...task, Resources: { ...task.Resources, CPU, MemoryMB, MemoryMaxMB } },
    region: each.region,
    folders: { shared: each.dirs.Alloc ?? '', local: each.dirs.Task ?? '', secrets: each.dirs.Secrets ?? '' },
    networkStatus: each.networkstatus ?? null,
    driverPorts: each.drivernetwork?.PortMap ?? {},
    deviceEnvironment: each.deviceenv ?? {},
    hookEnvironments: (each.hookenv ?? []).map(({ Env }) => Env),
    templateEnvironment: each.templateenv ?? {},
    ...(each.vaulttoken === undefined ? {} : { vault: { token: each.vaulttoken, namespace: each.vaultns ?? '' } }),
    ...identityOf(each),
  }
}

/** The reference serves its API to each task that has an identity. */
function identityOf({ token, tokens, dirs }: Case): Pick<EnvironmentInput, 'identity' | 'socket'> {
  if (token === undefined && tokens === undefined) return {}
  return { identity: { token: token ?? '', named: tokens ?? {} }, socket: `${dirs.Secrets ?? ''}/api.sock` }
}
