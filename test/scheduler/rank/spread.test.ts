import { expect, test } from 'vitest'
import { job, node, taskGroup } from '../../fixtures.js'
import { decide } from '../decide.js'

test('what is listed for all other values gives way to what the listed ones really leave', () => {
  const spread = {
    Attribute: '${node.datacenter}',
    Weight: 50,
    SpreadTarget: [
      { Value: 'dc2', Percent: 25 },
      { Value: '*', Percent: 25 },
    ],
  }
  const { plan } = decide({ nodes: [node()], jobs: [job({ TaskGroups: [taskGroup({ Count: 4, Spreads: [spread] })] })] })
  // Of four, one shall be in dc2 and one elsewhere: the other two are elsewhere too, so two are wanted and the first is half of them.
  expect(plan.Placements[0]!.Metrics!.ScoreMetaData![0]!.Scores['allocation-spread']).toBe(0.5)
})

test('spreads without any weight leave the score a number', () => {
  const spread = { Attribute: '${node.datacenter}', Weight: 0, SpreadTarget: [{ Value: 'dc1', Percent: 50 }] }
  const { plan } = decide({ nodes: [node()], jobs: [job({ TaskGroups: [taskGroup({ Spreads: [spread] })] })] })
  const { Scores, NormScore } = plan.Placements[0]!.Metrics!.ScoreMetaData![0]!
  expect([Scores['allocation-spread'], NormScore]).toEqual([undefined, Scores['binpack']])
})
