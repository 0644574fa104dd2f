import { expect, test } from 'vitest'
import type { Call } from '../../src/api/router.js'
import { commitPlanRoutes } from '../../src/api/routes/commit-plan.js'
import { OrchestratorError } from '../../src/domain/index.js'

test.each([
  ['GIT_REF', 'BAD_REQUEST'],
  ['GIT_TREE', 'BAD_REQUEST'],
  ['GIT_UNKNOWN_REF', 'NOT_FOUND'],
  ['UNKNOWN_SOURCE', 'NOT_FOUND'],
])('%s is refused as %s in its words', async (code, refusal) => {
  const refuse = () => Promise.reject(new OrchestratorError(code, 'the words'))
  const [route] = commitPlanRoutes({ commitPlanner: { plan: refuse }, refPlans: { plan: refuse } } as never)
  const call = { parameters: { text: () => 'refs/heads/main' } } as unknown as Call
  await expect(route!.methods.GET!(call)).rejects.toMatchObject({ code: refusal, message: 'the words' })
})
