/** YAML and JSON as people and the API write them: merge keys, texts without quotes, members of other versions. */
import { describe, expect, test } from 'vitest'
import { readFiles, readJob, readText, withConfig } from './read.js'

const yaml = (text: string) => readFiles('jobs/web.nomad.yaml', { 'jobs/web.nomad.yaml': text })
const json = (job: object) => readFiles('jobs/web.nomad.json', { 'jobs/web.nomad.json': JSON.stringify(job) })

async function soundJob(reading: ReturnType<typeof yaml>) {
  const outcome = await reading
  if (outcome.kind !== 'job') throw new Error(JSON.stringify(outcome))
  return outcome
}

const API_YAML = (task: string) => `
ID: j
TaskGroups:
  - Name: g
    Tasks:
      - Name: t
        Driver: raw_exec
        Config: { command: /bin/true }
${task}`

describe('YAML', () => {
  test('merge keys take the members of other maps; own ones win, then those merged earlier', async () => {
    const text = API_YAML(`        Meta: &one { a: "1", b: "2" }
        Env:
          <<: [*one, { b: "9", c: "3" }]
          a: own
`)
    const { job } = await soundJob(yaml(text))
    expect(job.TaskGroups[0]?.Tasks[0]?.Env).toEqual({ a: 'own', b: '2', c: '3' })
  })

  test('what is merged is a map', async () => {
    const outcome = await yaml(API_YAML('        Env:\n          <<: 3\n'))
    expect(outcome).toMatchObject({ kind: 'mistakes', mistakes: [{ line: 10, summary: 'Invalid merge' }] })
  })

  test('numbers and truths keep their source where a text is meant', async () => {
    const { job } = await soundJob(yaml(API_YAML('        Env: { A: 1.10, B: 0x1F, C: 1e3, D: 007, E: True }\n')))
    expect(job.TaskGroups[0]?.Tasks[0]?.Env).toEqual({ A: '1.10', B: '0x1F', C: '1e3', D: '007', E: 'True' })
  })

  test('a second document is told in words', async () => {
    const outcome = await yaml(`${API_YAML('')}---\nID: k\n`)
    expect(outcome).toMatchObject({ kind: 'mistakes', mistakes: [{ detail: expect.stringContaining('One job a file') }] })
  })

  test('an unknown member is a mistake at its own place', async () => {
    const outcome = await yaml(API_YAML('        Drivr: x\n'))
    expect(outcome).toMatchObject({ kind: 'mistakes', mistakes: [{ line: 9, column: 9 }] })
  })
})

describe('JSON as the API answers it', () => {
  test('members that this version does not have are warnings', async () => {
    const task = { Name: 't', Driver: 'raw_exec', Config: { command: '/bin/true' }, Constraits: null }
    const { warnings } = await soundJob(
      json({ ID: 'j', Dispatched: false, ModifyIndex: 12, NewMember: 1, ConsulToken: '', TaskGroups: [{ Name: 'g', Tasks: [task] }] }),
    )
    expect(warnings.some((warning) => warning.includes('NewMember'))).toBe(true)
    expect(warnings.some((warning) => warning.includes('Constraits'))).toBe(true)
    expect(warnings.some((warning) => warning.includes('ModifyIndex') || warning.includes('ConsulToken'))).toBe(false)
  })
})

describe('HCL', () => {
  test('a bare number of nanoseconds is told', async () => {
    const outcome = await readText('job "j" {\n  group "g" {\n    shutdown_delay = 30\n    task "t" {\n      driver = "x"\n    }\n  }\n}\n')
    expect(outcome.kind === 'job' && outcome.warnings.some((warning) => warning.includes('shutdown_delay'))).toBe(true)
  })

  test('yamldecode reads words, merges and numbers as YAML 1.1', async () => {
    const job = await readJob(withConfig('a = yamldecode("yes")\n        b = yamldecode("x: &a {p: 1}\\nr: {<<: *a, q: 2}").r'))
    expect(job.TaskGroups[0]?.Tasks[0]?.Config).toEqual({ a: true, b: { p: 1, q: 2 } })
  })

  test('file() finds what lies at the root of the repository', async () => {
    const files = { 'jobs/web.nomad.hcl': withConfig('a = file("shared/x.txt")'), 'shared/x.txt': 'hello' }
    const outcome = await readFiles('jobs/web.nomad.hcl', files)
    expect(outcome.kind === 'job' && outcome.job.TaskGroups[0]?.Tasks[0]?.Config).toEqual({ a: 'hello' })
  })

  test('half of a surrogate pair is no character', async () => {
    expect((await readText(withConfig('a = "\\ud800"'))).kind).toBe('mistakes')
  })
})
