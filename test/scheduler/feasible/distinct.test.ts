import { expect, test } from 'vitest'
import { allocation, job, node, task, taskGroup, uuid } from '../../fixtures.js'
import { decide } from '../decide.js'

test('what an earlier job of the same name gives up is not taken from the uses of this one', () => {
  const constraint = { LTarget: '${node.datacenter}', Operand: 'distinct_property', RTarget: '2' }
  const version = (Env: Record<string, string>) => taskGroup({ Count: 3, Update: null, Tasks: [task({ Env })] })
  const current = job({ CreateIndex: 20, JobModifyIndex: 20, Version: 0, Constraints: [constraint], TaskGroups: [version({ A: 'new' })] })
  const purged = job({ CreateIndex: 10, JobModifyIndex: 10, Version: 0, TaskGroups: [version({ A: 'old' })] })
  const own = (at: number, JobCreateIndex: number) =>
    allocation({ ID: uuid(at, 0xb0), Name: `web.group[${at}]`, ClientStatus: 'running', JobCreateIndex })
  const { plan } = decide({ nodes: [node()], jobs: [current, purged], allocations: [own(0, 20), own(1, 10), own(2, 10)] })
  expect(plan.Placements.map(({ Name }) => Name)).toEqual(['web.group[1]'])
})

test('a system job is on every host with all of its groups, whatever it says of distinct hosts', () => {
  const Constraints = [{ LTarget: '', Operand: 'distinct_hosts', RTarget: '' }]
  const groups = ['a', 'b'].map((Name) => taskGroup({ Name }))
  const { plan } = decide({ nodes: [node()], jobs: [job({ Type: 'system', Constraints, TaskGroups: groups })] })
  expect(plan.Placements.map(({ TaskGroup }) => TaskGroup)).toEqual(['a', 'b'])
})
