/** Problems of a finished job are pointed at the block or attribute that they are about, in every form of file. */
import { expect, test } from 'vitest'
import { readFiles } from './read.js'

async function places(path: string, text: string): Promise<readonly string[]> {
  const outcome = await readFiles(path, { [path]: text })
  return outcome.kind === 'mistakes' ? outcome.mistakes.map(({ line, column, summary }) => `${line}:${column} ${summary}`) : []
}

test('HCL', async () => {
  const text = `job "a" {
  priority = 1000
  group "g" {
    count = -1
    network {
      port "http" {
        static = 99999
      }
    }
    task "t" {
      driver = "raw_exec"
      config {
        comand = "a"
      }
      constraint {
        attribute = "\${attr.kernel.name}"
        operator  = "regexp"
        value     = "(["
      }
      resources {
        memory = 1
      }
    }
  }
}
`
  expect(await places('a.nomad.hcl', text)).toEqual([
    "4:5 Task group count can't be negative",
    '6:7 Port http (99999) cannot be greater than 65535',
    '21:9 minimum MemoryMB value is 10; got 1',
    '15:7 Regular expression failed to compile: error parsing regexp: missing closing ]: `[`',
    '2:3 job priority must be between [1, 100]',
    '12:7 task "t": driver raw_exec requires config "command"',
    '13:9 task "t": driver raw_exec has no config "comand"; did you mean "command"?',
  ])
})

test("the API's form, in YAML", async () => {
  const text = `Job:
  ID: a
  Type: servic
  TaskGroups:
    - Name: g
      Count: -1
      Tasks:
        - Name: t
          Driver: raw_exec
          Config: {command: a}
          Resources: {CPU: 100, MemoryMB: 1}
`
  expect(await places('a.nomad.yaml', text)).toEqual([
    '3:3 Invalid job type: "servic"',
    "6:7 Task group count can't be negative",
    '11:33 minimum MemoryMB value is 10; got 1',
  ])
})

test("HCL's form, in JSON", async () => {
  const text = `{"job": {"a": {
  "priority": 900,
  "group": {"g": {
    "count": 200000,
    "task": [{"t": {"driver": "raw_exec", "config": {"command": "x"}, "resources": {"memory": 1}}}]
  }}
}}}
`
  expect(await places('a.nomad.json', text)).toEqual([
    '4:5 Task group count 200000 is too large; the limit is 100000',
    '5:85 minimum MemoryMB value is 10; got 1',
    '2:3 job priority must be between [1, 100]',
  ])
})

test('a block that may come out of a dynamic block is not guessed', async () => {
  const text = `job "a" {
  group "g" {
    dynamic "constraint" {
      for_each = ["x"]
      content {
        attribute = constraint.value
        operator  = "regexp"
        value     = "(["
      }
    }
    constraint {
      attribute = "y"
      value     = "z"
    }
    task "t" {
      driver = "raw_exec"
      config {
        command = "a"
      }
    }
  }
}
`
  expect(await places('a.nomad.hcl', text)).toEqual([
    '2:3 Regular expression failed to compile: error parsing regexp: missing closing ]: `[`',
  ])
})
