/**
 * Signs who a task is, for the host that runs it and for identities that its job asks for. A token tells the workload and nothing that it
 * may do. Source: Nomad docs, "Workload Identity".
 */

import type { IdentityRequest, IdentityResponse, IdentityToken } from '../agent/index.js'
import {
  type Allocation,
  type Clock,
  explainError,
  isClientTerminal,
  type Logger,
  type Random,
  type Task,
  type WorkloadIdentity,
} from '../domain/index.js'
import { jobOfAllocation } from '../state/index.js'
import type { HostChannel, HostQuestion } from './host-channel.js'
import type { Leader } from './leader.js'
import type { IdentityClaims, IdentitySigner } from './ports.js'

export interface IdentityKeeperDeps {
  readonly leader: Leader
  readonly channel: HostChannel
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly signer: IdentitySigner
  readonly region: string
}

const DEFAULT = 'default'
const NANOSECONDS_PER_SECOND = 1e9

export class IdentityKeeper {
  readonly #deps: IdentityKeeperDeps

  constructor(deps: IdentityKeeperDeps) {
    this.#deps = deps
    deps.channel.on('identity', (question) => void this.#onQuestion(question))
  }

  async #onQuestion(question: HostQuestion<'identity'>): Promise<void> {
    const { leader, logger } = this.#deps
    // What is not fresh may be an old question that somebody kept.
    if (leader.isStopped || !question.isFresh) return
    try {
      const response = await this.#respond(question)
      if (leader.isStopped) return
      leader.release(leader.state.index, question.answer({ clusterId: leader.state.clusterId, epoch: leader.epoch, ...response }))
    } catch (error) {
      logger.error({ nodeId: question.nodeId, error: explainError(error) }, 'identities could not be signed')
    }
  }

  async #respond({ nodeId, message }: HostQuestion<'identity'>): Promise<WithoutEnvelope<IdentityResponse>> {
    const found = this.#find(nodeId, message)
    if (found === undefined)
      return { kind: 'refused', reason: `no such task runs on this host: ${message.task} of ${message.allocationId}` }
    const { allocation, task } = found
    const identities = message.identities.map((name) => identityOf(task, name))
    const unknown = message.identities.find((_, at) => identities[at] === undefined)
    if (unknown !== undefined) return { kind: 'refused', reason: `task ${task.Name} has no identity ${JSON.stringify(unknown)}` }
    const tokens: IdentityToken[] = []
    for (const identity of identities) if (identity !== undefined) tokens.push(await this.#sign(allocation, task, identity))
    return { kind: 'signed', tokens }
  }

  /** Only what the host is to run: nobody gets the token of another's task. */
  #find(
    nodeId: string,
    { allocationId, task: name }: IdentityRequest,
  ): { readonly allocation: Allocation; readonly task: Task } | undefined {
    const { state } = this.#deps.leader
    const allocation = state.allocations.get(allocationId)
    if (allocation === undefined || allocation.NodeID !== nodeId || isClientTerminal(allocation)) return undefined
    const group = jobOfAllocation(state, allocation)?.TaskGroups.find(({ Name }) => Name === allocation.TaskGroup)
    const task = group?.Tasks.find(({ Name }) => Name === name)
    return task === undefined ? undefined : { allocation, task }
  }

  async #sign(allocation: Allocation, task: Task, identity: WorkloadIdentity): Promise<IdentityToken> {
    const { clock, random, region, signer } = this.#deps
    const claims = identityClaims({ allocation, task, identity, region, nowMs: clock.wallMs(), id: random.uuid() })
    const expiresMs = claims.exp === undefined ? null : claims.exp * 1000
    return { identity: identity.Name || DEFAULT, token: await signer.sign(claims), expiresMs }
  }
}

type WithoutEnvelope<Message> = Message extends unknown ? Omit<Message, 'clusterId' | 'epoch'> : never

function identityOf({ Identity, Identities }: Task, name: string): WorkloadIdentity | undefined {
  if (name === DEFAULT) return Identity ?? undefined
  return (Identities ?? []).find(({ Name }) => Name === name)
}

export interface IdentitySubject {
  readonly allocation: Allocation
  readonly task: Task
  readonly identity: WorkloadIdentity
  readonly region: string
  readonly nowMs: number
  readonly id: string
}

export function identityClaims({ allocation, task, identity, region, nowMs, id }: IdentitySubject): IdentityClaims {
  const { Namespace, JobID, TaskGroup } = allocation
  const atSeconds = Math.floor(nowMs / 1000)
  const audience = identity.Audience ?? []
  return {
    ...(audience.length === 0 ? {} : { aud: audience.length === 1 ? audience[0]! : audience }),
    ...(identity.TTL > 0 ? { exp: atSeconds + Math.ceil(identity.TTL / NANOSECONDS_PER_SECOND) } : {}),
    iat: atSeconds,
    nbf: atSeconds,
    jti: id,
    sub: [region, Namespace, JobID, TaskGroup, task.Name, identity.Name || DEFAULT].join(':'),
    nomad_allocation_id: allocation.ID,
    nomad_job_id: JobID,
    nomad_namespace: Namespace,
    nomad_task: task.Name,
  }
}
