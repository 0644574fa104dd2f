/** A few recorded stories on real clusters; all of them: `npm run vectors -- lifecycle`. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { findNatsServer } from '../../src/adapters/nats/server-process.js'
import { replay } from './replay.js'

const SHORT = ['hook-all-stages-order', 'template-bad-syntax']
const canRun = existsSync('dist/main/cli.js') && findNatsServer() !== undefined

test.skipIf(!canRun).each(SHORT)('%s happens as recorded', { timeout: 120_000, retry: 1 }, async (name) => {
  expect((await replay(name)).mismatches).toEqual([])
})
