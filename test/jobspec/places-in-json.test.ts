/** Where mistakes of a job file in JSON are told: recorded from Nomad 2.0.5, but for texts with escapes, whose places there are not those of the file. */
import { expect, test } from 'vitest'
import { InProcessSyntaxReader } from '../../src/adapters/hcl-syntax/index.js'
import { createJobspecParser } from '../../src/adapters/hcl-syntax/jobspec-parser.js'

const parser = createJobspecParser(new InProcessSyntaxReader())

async function placeOf(text: string): Promise<string> {
  const outcome = await parser.parse({ path: 'input.hcl', text })
  if (outcome.kind !== 'mistakes') throw new Error(`read as ${outcome.kind}`)
  const [{ line, column, summary }] = outcome.mistakes as [(typeof outcome.mistakes)[number]]
  return `${line},${column}: ${summary}`
}

const withTask = (members: string) => `{
  "job": {
    "j": {
      "group": {
        "g": {
          "task": {
            "t": {
              "driver": "x",
              ${members}
            }
          }
        }
      }
    }
  }
}
`
const withConstraint = (attribute: string) => `{"job": {"j": {
   "constraint": [{"attribute": "${attribute}", "value": "x"}],
   "group": {"g": {"task": {"t": {"driver": "x"}}}}}}}`

test.each([
  ['"lifecycle": {}', '9,29: Missing required argument'],
  ['"lifecycle": [{ "hook": "prestart" }, { "hook": "poststop" }]', '9,28: Duplicate lifecycle block'],
])('of a block: %s', async (members, expected) => {
  expect(await placeOf(withTask(members))).toBe(expected)
})

test.each([
  ['${attr.', '2,41: Invalid attribute name'],
  ['${upper(1,2)}', '2,44: Too many function arguments'],
  ['x${meta.a}-${nosuch(1)}', '2,47: Call to unknown function'],
  ['${attr.a +}', '2,44: Invalid expression'],
  ['${local.x}', '2,41: Unsupported attribute'],
  ['ab\\n${attr.}', '2,45: Invalid attribute name'],
  ['\\u0061${local.x}', '2,47: Unsupported attribute'],
])('inside a text: %s', async (attribute, expected) => {
  expect(await placeOf(withConstraint(attribute))).toBe(expected)
})
