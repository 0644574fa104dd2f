import { describe, expect, test } from 'vitest'
import { readYaml } from '../../../src/adapters/hcl-syntax/read-yaml.js'
import { LIMITS } from '../../../src/jobspec/index.js'

const read = (text: string) => readYaml('a.yaml', text, LIMITS)

describe('YAML', () => {
  test('gives every value its place', () => {
    expect(read('job:\n  web: { count: 2 }\n')).toMatchObject({
      kind: 'syntax',
      syntax: { root: { kind: 'object', members: [{ name: 'job', nameSpan: { start: 0, end: 3 } }] } },
    })
  })

  test('has the words of JSON and no others: yes and 012 are texts and numbers as they stand', () => {
    expect(read('a: yes\nb: 012\nc: 1_000\n')).toMatchObject({
      syntax: {
        root: {
          members: [{ value: { kind: 'string', value: 'yes' } }, { value: { kind: 'number', text: '012' } }, { value: { kind: 'string' } }],
        },
      },
    })
  })

  test.each([
    ['a key that is there twice', 'a: 1\na: 2\n', 'Invalid YAML', 2],
    ['a list as a key', '? [a]\n: 1\n', 'Invalid key', 1],
    ['a number without end', 'a: .inf\n', 'Invalid number', 1],
    ['a bracket that is not closed', 'a: [1\n', 'Invalid YAML', 2],
  ])('refuses %s at its line', (_, text, summary, line) => {
    expect(read(text)).toMatchObject({ kind: 'mistakes', mistakes: [{ summary, line }] })
  })

  test('unfolds aliases within bounds', () => {
    const text = ['l0: &l0 [x, x, x]', 'l1: &l1 [*l0, *l0, *l0]', 'l2: [*l1, *l1, *l1]'].join('\n')
    const refusal = { kind: 'mistakes', mistakes: [{ summary: 'Too much YAML' }] }
    expect(readYaml('x.yaml', text, { ...LIMITS, yamlNodesMax: 40 })).toMatchObject(refusal)
    expect(readYaml('x.yaml', text, { ...LIMITS, jobBytesMax: 20 })).toMatchObject(refusal)
    expect(read(text).kind).toBe('syntax')
  })

  test('refuses nesting beyond the limit before it is read', () => {
    const text = `a: ${'['.repeat(12)}${']'.repeat(12)}`
    expect(readYaml('x.yaml', text, { ...LIMITS, nestingMax: 10 })).toMatchObject({
      kind: 'mistakes',
      mistakes: [{ summary: 'Nesting too deep' }],
    })
    expect(read(text).kind).toBe('syntax')
  })

  test('an alias inside itself is refused', () => {
    expect(read('a: &a [*a]\n')).toMatchObject({ kind: 'mistakes' })
  })
})
