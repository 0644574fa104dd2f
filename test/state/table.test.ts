import { expect, test } from 'vitest'
import { Table } from '../../src/state/index.js'

type Row = { readonly id: string; readonly color: string | undefined; readonly nested?: { readonly deep: number[] } }

function colors(): Table<Row, 'color'> {
  return new Table<Row, 'color'>('colors', (row) => row.id, { color: (row) => row.color })
}

test('rows come in the order of their keys whatever the order they were put in', () => {
  const table = colors()
  for (const id of ['b', 'c', 'a']) table.put(1, { id, color: 'red' })
  expect(table.all().map((row) => row.id)).toEqual(['a', 'b', 'c'])
  expect(table.by('color', 'red').map((row) => row.id)).toEqual(['a', 'b', 'c'])
})

test('a row that changes its group leaves the old one', () => {
  const table = colors()
  table.put(1, { id: 'a', color: 'red' })
  table.put(2, { id: 'a', color: 'blue' })
  table.put(3, { id: 'b', color: undefined })
  expect(table.by('color', 'red')).toEqual([])
  expect(table.countBy('color', 'blue')).toBe(1)
  expect(table.groupsOf(table.get('b')!)).toEqual([])
})

test('a group gives what is in it whether that is one row or many, and again when it has shrunk', () => {
  const table = colors()
  const reds = () => [
    table.by('color', 'red').map(({ id }) => id),
    [...table.valuesBy('color', 'red')].length,
    table.countBy('color', 'red'),
  ]
  const steps: (() => void)[] = [
    () => table.put(1, { id: 'b', color: 'red' }),
    () => table.put(1, { id: 'b', color: 'red', nested: { deep: [] } }),
    () => table.put(1, { id: 'a', color: 'red' }),
    () => table.put(1, { id: 'c', color: 'red' }),
    () => table.delete(1, 'a'),
    () => table.put(1, { id: 'b', color: 'blue' }),
    () => table.put(1, { id: 'd', color: 'red' }),
    () => table.delete(1, 'c'),
    () => table.delete(1, 'd'),
  ]
  const seen = steps.map((step) => {
    step()
    return reds()
  })
  const groups = [['b'], ['b'], ['a', 'b'], ['a', 'b', 'c'], ['b', 'c'], ['c'], ['c', 'd'], ['d'], []]
  expect(seen).toEqual(groups.map((ids) => [ids, ids.length, ids.length]))
})

test('the index moves with deletions too, and not with the deletion of what is not there', () => {
  const table = colors()
  table.put(3, { id: 'a', color: 'red' })
  table.delete(7, 'a')
  table.delete(9, 'a')
  expect(table.index).toBe(7)
  expect(table.count).toBe(0)
})

test('the index never goes backwards', () => {
  const table = colors()
  table.put(5, { id: 'a', color: 'red' })
  expect(() => table.put(4, { id: 'b', color: 'red' })).toThrow(/written at 4/)
})

test('a stored row cannot be edited', () => {
  const table = colors()
  table.put(1, { id: 'a', color: 'red', nested: { deep: [1] } })
  expect(() => table.get('a')!.nested!.deep.push(2)).toThrow(TypeError)
})

test('observers see the row before and after, and nothing once they have stopped', () => {
  const table = colors()
  const seen: string[] = []
  const stop = table.observe((before, after, key) => seen.push(`${key} ${before?.color} ${after?.color}`))
  table.put(1, { id: 'a', color: 'red' })
  table.put(2, { id: 'a', color: 'blue' })
  table.delete(3, 'a')
  stop()
  table.put(4, { id: 'a', color: 'red' })
  expect(seen).toEqual(['a undefined red', 'a red blue', 'a blue undefined'])
})
