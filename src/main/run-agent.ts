/** What `drover agent` does. It stands beside other people's work, so nothing that only a server needs is loaded. */
import { hostInbox } from '../adapters/nats/accounts.js'
import { connectNats } from '../adapters/nats/index.js'
import { loadOrCreateKey } from '../adapters/node-key.js'
import { startAgent } from './agent.js'
import { agentConfigSchema } from './agent-config.js'
import { natsOptions, readConfig } from './config.js'
import { whenStopAsked } from './stop-asked.js'

export async function runAgent(path: string): Promise<number> {
  const config = readConfig(path, agentConfigSchema)
  if (config.nats === undefined) throw new Error(`${path} names no nats.url; an agent of its own needs a broker`)
  const stopAsked = whenStopAsked()
  const key = loadOrCreateKey(config.data_dir)
  const bus = await connectNats(natsOptions(config.nats, key, hostInbox(key.nodeId)))
  try {
    const agent = await startAgent(config, bus)
    stopAsked.isStarted = true
    // Nothing of it is wanted before.
    const { giveBackSpareMemory } = await import('../adapters/spare-memory.js')
    giveBackSpareMemory()
    const { tasks } = await stopAsked.message
    await agent.stop({ tasks })
  } finally {
    await bus.close()
  }
  return 0
}
