/** One client of the broker that holds no key of the cluster: it listens to everything, and says what it likes. */
import { connect, type NatsConnection } from 'nats'
import { loadOrCreateKey } from '../../src/adapters/node-key.js'
import { subjects } from '../../src/agent/index.js'
import type { Act } from './acts.js'
import type { TortureWorld } from './world.js'

const REGION = 'global'
const HEARD_FOR_MS = 1_500
const HEARD_MAX = 200

export const MESSAGE_ACTS: readonly Act[] = [
  { name: 'noise on every subject', run: (world) => asOutsider(world, async (bus) => shout(world, bus)) },
  { name: 'what was heard is said again, whole, cut and changed', run: (world) => asOutsider(world, (bus) => replay(world, bus)) },
]

async function asOutsider(world: TortureWorld, act: (bus: NatsConnection) => Promise<void>): Promise<void> {
  const bus = await connect({ servers: world.brokerUrl, reconnect: false, timeout: 2_000 }).catch(() => undefined)
  // The broker is being killed just now.
  if (bus === undefined) return
  bus.closed().catch(() => {})
  try {
    await act(bus)
    await bus.flush()
  } catch {
    // The broker went away meanwhile.
  } finally {
    await bus.close().catch(() => {})
  }
}

function allSubjects(world: TortureWorld): readonly string[] {
  const names = subjects(REGION)
  return [0, 1].flatMap((at) => {
    const { nodeId } = loadOrCreateKey(world.hostFolder(at))
    const plain = [names.register(nodeId), names.heartbeat(nodeId), names.pull(nodeId), names.report(nodeId), names.desired(nodeId)]
    return [...plain, ...['logs', 'list', 'stat', 'signal', 'restart'].map((method) => names.rpc(nodeId, method as never))]
  })
}

async function shout(world: TortureWorld, bus: NatsConnection): Promise<void> {
  const { random } = world
  for (const subject of allSubjects(world)) {
    for (let round = 0; round < 20; round++) {
      const bytes = Uint8Array.from({ length: random.between(0, 200) }, () => random.between(0, 255))
      bus.publish(subject, bytes, random.chance(0.5) ? { reply: 'nobody.is.here' } : {})
    }
    bus.publish(subject, new Uint8Array(900_000))
  }
}

async function replay(world: TortureWorld, bus: NatsConnection): Promise<void> {
  const heard: { readonly subject: string; readonly data: Uint8Array }[] = []
  bus.subscribe('drover.>', {
    callback: (error, message) => {
      if (error === null && heard.length < HEARD_MAX) heard.push({ subject: message.subject, data: message.data.slice() })
    },
  })
  await new Promise((resolve) => setTimeout(resolve, HEARD_FOR_MS))
  const { random } = world
  for (const { subject, data } of heard) {
    bus.publish(subject, data)
    bus.publish(random.pick(allSubjects(world)), data)
    bus.publish(subject, data.subarray(0, random.between(0, data.length)))
    const changed = data.slice()
    if (changed.length > 0) changed[random.between(0, changed.length - 1)]! ^= 1 << random.between(0, 7)
    bus.publish(subject, changed)
  }
}
