import { expect, test } from 'vitest'
import { SECOND } from '../../../src/domain/index.js'
import { allocation, job, node, task, taskGroup, uuid } from '../../fixtures.js'
import { decide } from '../decide.js'

test('an allocation changes in place where its own numbered volume is, not where that of another is', () => {
  const data = { Name: 'data', Type: 'host', Source: 'data', ReadOnly: false, AccessMode: '', AttachmentMode: '', MountOptions: null }
  const version = (Version: number) =>
    job({
      Version,
      JobModifyIndex: Version,
      TaskGroups: [
        taskGroup({
          Count: 2,
          Volumes: { data: { ...data, PerAlloc: true, Sticky: false } },
          Tasks: [task({ KillTimeout: (Version + 1) * SECOND })],
        }),
      ],
    })
  const host = node({ HostVolumes: { 'data[0]': { Name: 'data[0]', Path: '/data', ReadOnly: false } } })
  const rows = [0, 1].map((at) => allocation({ ID: uuid(at, 0xb0), Name: `web.group[${at}]`, ClientStatus: 'running' }))
  const { plan } = decide({ nodes: [host], jobs: [version(0), version(1)], allocations: rows })
  expect(plan.Updates.map(({ Name }) => Name)).toEqual(['web.group[0]'])
})
