/** A short round of `npm run chaos`: each part is killed once under a few tasks. */
import { expect, test } from 'vitest'
import { findNatsServer } from '../../src/adapters/nats/server-process.js'
import { SeededRandom } from '../simulation/seeded-random.js'
import { Chaos, VICTIMS } from './chaos.js'

test.skipIf(findNatsServer() === undefined)(
  'whatever is killed, tasks run on, once, and go on to be heard',
  { timeout: 240_000 },
  async () => {
    const chaos = await Chaos.create(5)
    try {
      await chaos.start()
      for (const victim of VICTIMS) await chaos.kill(victim, new SeededRandom(1))
      const { problems, linesSaid } = await chaos.finish()
      expect(problems).toEqual([])
      expect(linesSaid).toBeGreaterThan(0)
    } finally {
      await chaos.remove()
    }
  },
)
