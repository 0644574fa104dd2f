/** Recorded stories on virtual time, all that need no processes, and a few on real clusters; all of those: `npm run vectors -- lifecycle --real`. */
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { findNatsServer } from '../../src/adapters/nats/server-process.js'
import { replay } from './replay.js'
import { openStories, unexpected } from './run.js'
import { readStory, storyNames } from './story.js'
import { whyReal } from './virtual/needs-processes.js'

const SHORT = ['hook-all-stages-order', 'template-bad-syntax']
const canRun = existsSync('dist/main/cli.js') && findNatsServer() !== undefined

/** What most stories do with their tasks needs no processes: were it otherwise, nothing would be told here. */
const VIRTUAL_MIN = 150

describe('on virtual time', () => {
  const open = openStories()
  test.each(storyNames())('%s happens as recorded, or its difference is listed', async (name) => {
    const { mismatches } = await replay(name, false)
    expect(unexpected(mismatches, open[name])).toEqual([])
  })

  test('most stories are told', async () => {
    const reasons = await Promise.all(storyNames().map((name) => whyReal(readStory(name))))
    expect(reasons.filter((reason) => reason === undefined).length).toBeGreaterThanOrEqual(VIRTUAL_MIN)
  })
})

test.skipIf(!canRun).each(SHORT)('%s happens as recorded', { timeout: 120_000, retry: 1 }, async (name) => {
  expect((await replay(name, true)).mismatches).toEqual([])
})
