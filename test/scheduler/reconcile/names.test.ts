import { expect, test } from 'vitest'
import { allocation, deployment, deploymentState, job, node, taskGroup, uuid } from '../../fixtures.js'
import { decide } from '../decide.js'

test('what replaces two of one name takes two names, also where a canary has the other', () => {
  const down = node({ ID: uuid(2, 0xa0), Status: 'down' })
  const Update = { ...taskGroup().Update!, Canary: 1 }
  const versions = [0, 1].map((Version) => job({ Version, TaskGroups: [taskGroup({ Count: 2, Update })] }))
  const canary = allocation({
    ID: uuid(3, 0xb0),
    Name: 'web.group[1]',
    JobVersion: 1,
    ClientStatus: 'running',
    DeploymentID: uuid(1, 0xd0),
    DeploymentStatus: { Canary: true, Healthy: true, Timestamp: '2026-01-01T00:00:00Z', ModifyIndex: 1 },
  })
  const twins = [1, 2].map((at) => allocation({ ID: uuid(at, 0xb0), Name: 'web.group[0]', NodeID: down.ID, ClientStatus: 'running' }))
  const trial = deployment({
    ID: uuid(1, 0xd0),
    JobVersion: 1,
    Status: 'running',
    TaskGroups: { group: deploymentState({ DesiredCanaries: 1, Promoted: false, PlacedCanaries: [canary.ID], DesiredTotal: 2 }) },
  })
  const { plan } = decide({ nodes: [down, node()], jobs: versions, allocations: [...twins, canary], deployments: [trial] })
  expect(plan.Placements.map(({ Name, JobVersion }) => `${Name} ${JobVersion}`).sort()).toEqual(['web.group[0] 0', 'web.group[1] 0'])
})
