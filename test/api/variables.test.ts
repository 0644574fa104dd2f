/** `/v1/vars` and `/v1/var/:path`: lists without values, and values only where the configuration shows them. */
import { expect, test } from 'vitest'
import { variableKey } from '../../src/state/index.js'
import { WORLD_SETTINGS, World } from './world.js'

const SEALED = '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n'

function filled(over: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(over)
  put(world, 'nomad/jobs/web', { user: 'ann', password: SEALED })
  put(world, 'secret/db', { password: 'x' }, 'team', ['web'])
  put(world, 'kv/app', { port: '80' })
  return world
}

function put(
  world: World,
  Path: string,
  Items: Readonly<Record<string, string>>,
  Namespace = 'default',
  readers?: readonly string[],
): number {
  return world.change((state, index) => {
    const known = state.variables.get(variableKey({ Namespace, Path }))
    state.variables.put(index, {
      Namespace,
      Path,
      Items,
      CreateIndex: known?.CreateIndex ?? index,
      ModifyIndex: index,
      CreateTime: 1e15,
      ModifyTime: 2e15,
      ...(readers === undefined ? {} : { readers }),
    })
  })
}

const pathsOf = async (world: World, query: string) =>
  ((await world.json(`/v1/vars${query}`)) as readonly { Path: string }[]).map(({ Path }) => Path)

test('a list tells what there is in order, and no value of it', async () => {
  const world = filled()
  const { text, headers } = await world.get('/v1/vars')
  expect(JSON.parse(text)).toEqual([
    { Namespace: 'default', Path: 'kv/app', CreateIndex: 3, ModifyIndex: 3, CreateTime: 1e15, ModifyTime: 2e15, Lock: null },
    { Namespace: 'default', Path: 'nomad/jobs/web', CreateIndex: 1, ModifyIndex: 1, CreateTime: 1e15, ModifyTime: 2e15, Lock: null },
  ])
  expect(headers['x-nomad-index']).toBe('3')
})

test('a list is of a namespace or of all, of paths that begin so, in pages, and filtered', async () => {
  const world = filled()
  expect(await pathsOf(world, '?namespace=team')).toEqual(['secret/db'])
  expect(await pathsOf(world, '?namespace=*')).toEqual(['kv/app', 'nomad/jobs/web', 'secret/db'])
  expect(await pathsOf(world, '?prefix=nomad/')).toEqual(['nomad/jobs/web'])
  expect(await pathsOf(world, '?prefix=none')).toEqual([])
  expect(await pathsOf(world, `?namespace=*&filter=${encodeURIComponent('Path contains "d"')}`)).toEqual(['nomad/jobs/web', 'secret/db'])
  const { text, headers } = await world.get('/v1/vars?per_page=1')
  expect(JSON.parse(text)).toHaveLength(1)
  const next = encodeURIComponent(String(headers['x-nomad-nexttoken']))
  expect(await pathsOf(world, `?per_page=1&next_token=${next}`)).toEqual(['nomad/jobs/web'])
  expect((await world.get('/v1/vars?filter=Items%20is%20empty')).status).toBe(400)
})

test('a variable is read by its path; what is encrypted stays so', async () => {
  const world = filled()
  expect(await world.json('/v1/var/nomad/jobs/web')).toMatchObject({ Path: 'nomad/jobs/web', Items: { user: 'ann', password: SEALED } })
  const team = await world.json('/v1/var/secret%2Fdb?namespace=team')
  expect(team).toMatchObject({ Namespace: 'team', Items: { password: 'x' } })
  expect(team).not.toHaveProperty('readers')
})

test('what is not there is told, and a path has to be given', async () => {
  const world = filled()
  expect(await world.get('/v1/var/nothing')).toMatchObject({ status: 404, text: 'variable not found' })
  expect(await world.get('/v1/var/secret/db')).toMatchObject({ status: 404 })
  expect(await world.get('/v1/var/')).toMatchObject({ status: 400, text: 'missing variable path' })
})

test('whoever waits hears of a change of that variable, and of one that comes to be', async () => {
  const world = filled()
  const waiting = world.get('/v1/var/kv/app?index=3&wait=60s')
  put(world, 'kv/other', { a: '1' })
  put(world, 'kv/app', { port: '81' })
  expect(JSON.parse((await waiting).text)).toMatchObject({ ModifyIndex: 5, Items: { port: '81' } })
  const absent = world.get('/v1/var/kv/new?index=5&wait=60s')
  put(world, 'kv/new', { a: '1' })
  expect((await absent).status).toBe(200)
  const list = world.get('/v1/vars?index=6&wait=60s')
  world.change((state, index) => state.variables.delete(index, variableKey({ Namespace: 'default', Path: 'kv/new' })))
  expect(JSON.parse((await list).text)).toHaveLength(3)
})

test('without the setting no value is answered, whatever is asked', async () => {
  const world = filled({ settings: { ...WORLD_SETTINGS, showVariables: false } })
  for (const path of ['/v1/var/nomad/jobs/web', '/v1/var/nothing', '/v1/var/secret/db?namespace=team']) {
    const { status, text } = await world.get(path)
    expect([status, text]).toEqual([
      403,
      'values of variables are not shown: set api.show_variables in the configuration of the server, or read them in the repository',
    ])
  }
  expect(await pathsOf(world, '')).toEqual(['kv/app', 'nomad/jobs/web'])
})

test('variables are not written here', async () => {
  const world = filled()
  for (const method of ['PUT', 'DELETE']) {
    const { status, text } = await world.send(method, '/v1/var/kv/app', { Items: { port: '1' } })
    expect([status, text]).toEqual([403, expect.stringContaining('edit vars/default/kv/app.yaml and commit')])
  }
})
