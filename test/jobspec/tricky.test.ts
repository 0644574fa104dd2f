/** Inputs that other readers of jobspecs get wrong; the answers are Nomad's. */
import { expect, test } from 'vitest'
import { mistakesIn, readFiles, readJob, readText, withConfig } from './read.js'

async function config(text: string): Promise<unknown> {
  return (await readJob(withConfig(text))).TaskGroups[0]?.Tasks[0]?.Config
}

test('lone tasks of a job become groups before the others, in source order', async () => {
  const text = ['t', 'u'].map((name) => `  task "${name}" {\n    driver = "x"\n  }\n`)
  const job = await readJob(`job "j" {\n${text[0]}  group "g" {\n    task "v" {\n      driver = "x"\n    }\n  }\n${text[1]}}\n`)
  expect(job.TaskGroups.map(({ Name }) => Name)).toEqual(['t', 'u', 'g'])
})

test('a reference that is not known yet keeps its own text', async () => {
  expect(await config('a = "${ attr.x }"\nb = attr.x\nc = "$${attr.x}"\nd = upper("${attr.x}")')).toEqual({
    a: '${ attr.x }',
    b: '${attr.x}',
    c: '${attr.x}',
    d: '${ATTR.X}',
  })
})

test('an object that is written out becomes a list of one, any other stays', async () => {
  expect(await config('a = { b = { c = 1 } }\nm = [{ x = 1 }]\ne = ({ x = 1 })')).toEqual({
    a: [{ b: { c: 1 } }],
    m: [{ x: 1 }],
    e: { x: 1 },
  })
})

test('blocks become lists and their labels lists inside them', async () => {
  expect(await config('mount {\n type = "bind"\n}\nmount {\n type = "tmpfs"\n}\nlbl "x" "y" {\n z = 1\n}')).toEqual({
    mount: [{ type: 'bind' }, { type: 'tmpfs' }],
    lbl: [{ x: [{ y: [{ z: 1 }] }] }],
  })
})

test('a heredoc with a loop keeps its lines', async () => {
  expect(await config('a = <<E\n%{ for s in ["p","q"] ~}\nline ${s} ${attr.z}\n%{ endfor ~}\nend\nE')).toEqual({
    a: 'line p ${attr.z}\nline q ${attr.z}\nend\n',
  })
})

test('dynamic blocks inside configuration stay data', async () => {
  expect(await config('dynamic "mount" {\n for_each = [1]\n}')).toEqual({ dynamic: [{ mount: [{ for_each: [1] }] }] })
})

test('fractions are kept in 512 bits, as Nomad does', async () => {
  expect(await config('a = "x${1/3}"\nb = "${0.1 + 0.2}y"\nc = "x${1e21}"')).toEqual({
    a: `x0.${'3'.repeat(154)}5`,
    b: '0.3y',
    c: 'x1000000000000000000000',
  })
})

test('meta is a block or an attribute, and not both', async () => {
  expect(await mistakesIn('job "j" {\n  meta = { a = 1 }\n  meta {\n    b = 2\n  }\n}\n')).toEqual(['3: Duplicate meta block'])
})

test('a whole number as a duration is nanoseconds, a bare text is none', async () => {
  const text = (value: string) =>
    `job "j" {\n  group "g" {\n    task "t" {\n      driver = "x"\n      kill_timeout = ${value}\n    }\n  }\n}\n`
  expect((await readJob(text('5'))).TaskGroups[0]?.Tasks[0]?.KillTimeout).toBe(5)
  expect((await readJob(text('"1.5m"'))).TaskGroups[0]?.Tasks[0]?.KillTimeout).toBe(90e9)
  expect(await mistakesIn(text('"10"'))).toEqual(['5: Unsuitable value type'])
})

test('an affinity beyond its range wraps, and the author is told', async () => {
  const outcome = await readText(
    'job "j" {\n  affinity {\n    attribute = "a"\n    value = "b"\n    weight = 200\n  }\n  group "g" {\n    task "t" {\n      driver = "x"\n    }\n  }\n}\n',
  )
  expect(outcome).toMatchObject({
    kind: 'job',
    job: { Affinities: [{ Weight: -56 }] },
    warnings: [expect.stringContaining('-56') as string],
  })
})

test('the same job is read from HCL, JSON and YAML, in both their forms', async () => {
  const files = {
    'a.nomad.hcl': 'job "j" {\n  group "g" {\n    count = 2\n    task "t" {\n      driver = "x"\n    }\n  }\n}\n',
    'b.nomad.json': '{"job": {"j": {"group": {"g": {"count": 2, "task": {"t": {"driver": "x"}}}}}}}',
    'c.nomad.yaml': 'job:\n  j:\n    group:\n      g:\n        count: 2\n        task:\n          t:\n            driver: x\n',
    'd.nomad.json': '{"Job": {"ID": "j", "TaskGroups": [{"Name": "g", "Count": 2, "Tasks": [{"Name": "t", "Driver": "x"}]}]}}',
    'e.nomad.yml': 'ID: j\nTaskGroups:\n  - Name: g\n    Count: 2\n    Tasks: [{ Name: t, Driver: x }]\n',
  }
  const outcomes = await Promise.all(Object.keys(files).map((path) => readFiles(path, files)))
  const jobs = outcomes.map((outcome) => (outcome.kind === 'job' ? outcome.job : outcome))
  for (const job of jobs.slice(1)) expect(job).toEqual(jobs[0])
})

test('a reference that looks like a misspelt one is kept, and the author is told', async () => {
  const outcome = await readText(withConfig('a = vars.x'))
  expect(outcome).toMatchObject({ kind: 'job', warnings: [expect.stringContaining('did you mean var.') as string] })
})
