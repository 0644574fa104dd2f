/** `vars/` of a commit becomes the table of variables, each file by itself. */
import { expect, test } from 'vitest'
import { reconcilerWorld } from '../reconciler-world.js'

test('a file is the variable at its path, with values as they are written', async () => {
  const { apply, leader } = await reconcilerWorld()
  await apply({ 'vars/default/nomad/jobs/web.yaml': 'password: secret\nport: 0080\nflag: yes\nkey: |\n  a\n  b\n' })
  expect(leader.state.variables.all()).toMatchObject([
    { Namespace: 'default', Path: 'nomad/jobs/web', Items: { password: 'secret', port: '0080', flag: 'yes', key: 'a\nb\n' } },
  ])
})

test('what did not change keeps its index, what is gone is deleted', async () => {
  const { apply, leader } = await reconcilerWorld()
  await apply({ 'vars/default/a.yaml': 'x: "1"', 'vars/team/b.yml': 'y: "2"' })
  const before = leader.state.variables.all()
  await apply({ 'vars/default/a.yaml': '# a comment\nx: "1"', 'vars/team/b.yml': null })
  expect(leader.state.variables.all()).toEqual(before.slice(0, 1))
})

test('a file with mistakes is told of and leaves its variable as it was', async () => {
  const { apply, leader } = await reconcilerWorld()
  await apply({ 'vars/default/a.yaml': 'x: "1"' })
  const { frozen } = await apply({
    'vars/default/a.yaml': 'x: [1]\n"b.c": z',
    'vars/lost.yaml': 'x: 1',
    'vars/default/nomad/other.yaml': 'x: 1',
  })
  expect(frozen.map(({ path, mistakes }) => [path, mistakes.map(({ line, summary }) => `${line}: ${summary}`)])).toEqual([
    ['vars/default/a.yaml', ['1: The value of "x" is no text', '2: "b.c" is no name for an item']],
    ['vars/default/nomad/other.yaml', ['0: only paths at "nomad/jobs" and "nomad/job-templates" may begin with "nomad/"']],
    ['vars/lost.yaml', ['0: A variable has a namespace']],
  ])
  expect(leader.state.variables.all()).toMatchObject([{ Path: 'a', Items: { x: '1' } }])
})

test('two files for one variable are both mistakes', async () => {
  const { apply, leader } = await reconcilerWorld()
  const { frozen } = await apply({ 'vars/default/a.yaml': 'x: "1"', 'vars/default/a.yml': 'x: "2"' })
  expect(frozen.map(({ path }) => path)).toEqual(['vars/default/a.yaml', 'vars/default/a.yml'])
  expect(leader.state.variables.count).toBe(0)
})
