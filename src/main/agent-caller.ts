/** Long answers from agents over the bus, as the API asks for them. */
import { decodeValue, encodeValue, type RpcMethod, type RpcParts, type RpcRequests, subjects } from '../agent/index.js'
import type { AgentCaller } from '../api/index.js'
import type { Bus } from '../domain/index.js'

/** An agent that follows a log says so at least this often. */
const IDLE_TIMEOUT_MS = 40_000

export function createAgentCaller(bus: Bus, region: string): AgentCaller {
  const subject = subjects(region)
  return {
    async *call<Method extends RpcMethod>(nodeId: string, method: Method, request: RpcRequests[Method], signal: AbortSignal) {
      const stream = bus.requestStream(subject.rpc(nodeId, method), encodeValue(request), { idleTimeoutMs: IDLE_TIMEOUT_MS, signal })
      for await (const part of stream) yield decodeValue(part) as RpcParts[Method]
    },
  }
}
