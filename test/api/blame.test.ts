import { expect, test } from 'vitest'
import { blameFields } from '../../src/api/views/blame.js'
import type { Job } from '../../src/domain/index.js'
import { commit, job, task, taskGroup } from '../fixtures.js'
import { World } from './world.js'

const version = (number: number, image: string, count: number, over: Partial<Job> = {}): Job =>
  job({ Version: number, TaskGroups: [taskGroup({ Name: 'g', Count: count, Tasks: [task({ Name: 't', Config: { image } })] })], ...over })
const IMAGE = 'TaskGroups[g].Tasks[t].Config.image'
const COUNT = 'TaskGroups[g].Count'
const of = (versions: readonly Job[], path: string) => blameFields(versions).find((field) => field.path === path)

test('a field comes from the version that gave it its value last', () => {
  const versions = [version(2, 'b', 3), version(1, 'b', 1), version(0, 'a', 1)]
  expect(of(versions, IMAGE)).toEqual({ path: IMAGE, value: 'b', version: 1, isOldest: false })
  expect(of(versions, COUNT)).toEqual({ path: COUNT, value: 3, version: 2, isOldest: false })
  expect(of(versions, 'Priority')).toMatchObject({ version: 0, isOldest: false })
})

test('a value that went away and came back comes from the version that brought it back', () => {
  expect(of([version(2, 'a', 1), version(1, 'b', 1), version(0, 'a', 1)], IMAGE)?.version).toBe(2)
})

test('where older versions are forgotten the oldest is as far as it is known', () => {
  expect(of([version(9, 'b', 2), version(8, 'b', 1)], IMAGE)).toMatchObject({ version: 8, isOldest: true })
  expect(of([version(9, 'b', 2), version(8, 'b', 1)], COUNT)).toMatchObject({ version: 9, isOldest: false })
})

test('what is not said is left out, and so is what the server keeps', () => {
  const paths = blameFields([version(0, 'a', 1)]).map(({ path }) => path)
  expect(paths).not.toContain('Status')
  expect(paths).not.toContain('ModifyIndex')
  expect(paths.filter((path) => path.startsWith('Periodic'))).toEqual([])
})

test('members of lists that have the same name are told apart by position', () => {
  const twins = job({ TaskGroups: [taskGroup({ Name: 'g', Tasks: [task({ Name: 't' }), task({ Name: 't', Driver: 'docker' })] })] })
  expect(of([twins], 'TaskGroups[g].Tasks[1].Driver')?.value).toBe('docker')
})

test('the answer names the commit of each field', async () => {
  const world = new World()
  const commits = [commit({ id: 'a'.repeat(40) }), commit({ id: 'b'.repeat(40) })]
  world.change((state, index) => {
    for (const [at, stored] of [version(0, 'a', 1), version(1, 'b', 1)].entries()) {
      state.jobVersions.put(index, stored)
      state.jobs.put(index, stored)
      const source = {
        namespace: 'default',
        jobId: 'web',
        createIndex: 0,
        version: at,
        path: 'jobs/web.nomad.hcl',
        commit: commits[at]!,
        revertOf: null,
      }
      state.versionSources.put(index, source)
    }
  })
  const fields = (await world.json('/drover/v1/blame/web')) as readonly { path: string; commit: { id: string } }[]
  const commitOf = (path: string) => fields.find((field) => field.path === path)?.commit.id[0]
  expect([commitOf(IMAGE), commitOf(COUNT)]).toEqual(['b', 'a'])
  expect((await world.get('/drover/v1/blame/absent')).status).toBe(404)
})
