/** Values that share their parts are small to hold and large to walk: every walk counts, however the value came about. */
import { describe, expect, test } from 'vitest'
import { LIMITS } from '../../src/jobspec/index.js'
import { mistakesIn, readJob, readText, withConfig } from './read.js'

/** Each level holds the one before it twice: 1,024 leaves, ten lists. */
const LEVELS = 10

/** A job with `local.big`, and this in the `config` of its task. */
function withBig(config: string, more = ''): string {
  const levels = Array.from({ length: LEVELS }, (_, at) => `v${at + 1} = [local.v${at}, local.v${at}]`).join('\n')
  return `locals {\nv0 = ["x"]\n${levels}\nbig = local.v${LEVELS}\n}\n${more}${withConfig(config)}`
}

const few = { limits: { ...LIMITS, stepsMax: 1_000 } }

const WALKS: Readonly<Record<string, string>> = {
  'to store it': 'a = local.big',
  'to store it inside another': 'a = { b = { c = local.big } }',
  'to encode it as JSON': 'a = strlen(jsonencode(local.big))',
  'to encode it as YAML': 'a = strlen(yamlencode(local.big))',
  'to format it': 'a = strlen(format("%v", local.big))',
  'to compare it': 'a = local.big == local.big',
  'to compare it with something small': 'a = local.big != 1',
  'to flatten it': 'a = length(flatten(local.big))',
  'to convert it': 'a = length(convert(local.big, list(list(string))))',
  'to look for it': 'a = contains([1], local.big)',
  'to choose it': 'a = length(true ? local.big : [])',
  'to choose another': 'a = length(true ? [] : local.big)',
  'to find it distinct': 'a = length(distinct([local.big, local.big]))',
  'to make a set of it': 'a = length(setunion([local.big], [local.big]))',
  'to pair it': 'a = length(setproduct([local.big], [1]))',
  'to coalesce it': 'a = length(coalesce(null, local.big))',
}

describe('walking a value counts every member as often as it is reached', () => {
  test.each(Object.entries(WALKS))('%s', async (_, config) => {
    expect(await mistakesIn(withBig(config), few)).toEqual([expect.stringMatching(/Too much to evaluate$/)])
  })

  test('to hold it costs only what is written', async () => {
    const job = await readJob(withBig('a = length(local.v1)'), few)
    expect(job.TaskGroups[0]?.Tasks[0]?.Config?.['a']).toBe(2)
  })

  test('as the default of a variable', async () => {
    const text = `variable "v" {\n  type = list(string)\n  default = [${'"x",'.repeat(1_100)}]\n}\n${withConfig('a = 1')}`
    expect(await mistakesIn(text, few)).toEqual([expect.stringMatching(/Too much to evaluate$/)])
  })

  test('as the elements of a dynamic block', async () => {
    const text = `${withBig('a = 1').split('job "j"')[0]}job "j" {\n  group "g" {\n    dynamic "task" {\n      for_each = [for x in range(40) : x]\n      labels = ["t\${task.value}"]\n      content {\n        driver = "x"\n        config {\n          a = local.v5\n        }\n      }\n    }\n  }\n}\n`
    expect(await mistakesIn(text, few)).toEqual([expect.stringMatching(/Too much to evaluate$/)])
  })
})

test('attempts that fail are no way around the budget', async () => {
  const config = 'a = [for x in range(100) : can(no_such_function(x))]'
  expect(await mistakesIn(withConfig(config), few)).toEqual([expect.stringMatching(/Too much to evaluate$/)])
})

test('the conditions of all variables together have one budget', async () => {
  const validation = 'validation {\n    condition = length([for x in range(200) : x]) > var.v\n    error_message = "No."\n  }'
  const text = `variable "v" {\n  default = 1\n  ${Array(5).fill(validation).join('\n')}\n}\n${withConfig('a = 1')}`
  expect(await mistakesIn(text, few)).toEqual([expect.stringMatching(/Too much to evaluate$/)])
  expect((await readText(text)).kind).toBe('job')
})

test('a chain of locals, each inside the next, is held to a depth', async () => {
  const levels = Array.from({ length: 600 }, (_, at) => `v${at + 1} = [local.v${at}]`).join('\n')
  const text = `locals {\nv0 = 1\n${levels}\n}\n${withConfig('a = local.v600')}`
  expect(await mistakesIn(text)).toEqual([expect.stringMatching(/Nesting too deep$/)])
  expect((await readText(text.replace('local.v600', 'local.v100'))).kind).toBe('job')
})

test('a sum of many terms is as good as a short one', async () => {
  const job = await readJob(withConfig(`a = ${Array(3_000).fill('1').join(' + ')}`))
  expect(job.TaskGroups[0]?.Tasks[0]?.Config?.['a']).toBe(3_000)
})

test('texts are counted before they are put together', async () => {
  const text = `locals {\n  long = "${'x'.repeat(1_000)}"\n}\n${withConfig(`a = "${'${local.long}'.repeat(20)}"`)}`
  expect(await mistakesIn(text, { limits: { ...LIMITS, outputMax: 10_000 } })).toEqual([expect.stringMatching(/Result too large$/)])
})
