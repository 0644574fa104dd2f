import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ParsedTree, parseTree } from '../../src/adapters/git/parse-objects.js'

const ID = 'ab'.repeat(20)

/** Few names and few contents, so that two versions of a folder have much in common; of very different length. */
const item = fc.record({
  name: fc.constantFrom('a', 'a.hcl', 'b', 'bb', 'c-with-a-long-name.nomad.hcl', 'd', 'gpu', 'z'),
  mode: fc.constantFrom('100644', '40000', '100755'),
  byte: fc.constantFrom('01', '02'),
})
const folder = fc
  .uniqueArray(item, { selector: ({ name }) => name, maxLength: 8 })
  .map((items) =>
    items
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, mode, byte }) => Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(byte.repeat(20), 'hex')])),
  )
  .map((items) => Buffer.concat(items))

const plain = ({ items, offsets }: ParsedTree) => ({ items, offsets })

test('a folder that was read before is read as if it had not been', () => {
  fc.assert(
    fc.property(fc.array(folder, { minLength: 2, maxLength: 5 }), (versions) => {
      let before: ParsedTree | undefined
      for (const content of versions) {
        const after = parseTree(ID, content, 'agents/', before)
        expect(plain(after)).toEqual(plain(parseTree(ID, content, 'agents/', undefined)))
        before = after
      }
    }),
    { numRuns: 2_000 },
  )
})

test('what has not changed is the same object again', () => {
  const bytes = (name: string, byte: string) => Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(byte.repeat(20), 'hex')])
  const before = parseTree(ID, Buffer.concat([bytes('a', '01'), bytes('long-name', '01'), bytes('z', '01')]), '', undefined)
  const after = parseTree(ID, Buffer.concat([bytes('a', '01'), bytes('z', '01')]), '', before)
  expect(after.items.map((each) => before.items.includes(each))).toEqual([true, true])
})
