/** Lives of clusters that follow several repositories; many more of them: `npm run sim -- --seed 1 --seeds 200 --gitops`. */
import { expect, test } from 'vitest'
import { tellGitopsStory } from './gitops-story.js'

test.each([1, 2, 3, 4])('life %i of a cluster of three repositories', { timeout: 60_000 }, async (seed) => {
  const { violation, commands } = await tellGitopsStory(seed)
  expect(violation).toBeUndefined()
  expect(commands).toBeGreaterThan(100)
})
