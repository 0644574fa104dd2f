import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { structNames, structOf } from '../../src/jobspec/decode/schema.js'
import { taskRefusal } from '../../src/jobspec/index.js'
import { supportsOf } from '../../src/jobspec/support/support.js'
import { supportPage } from '../../src/jobspec/support/support-page.js'
import { SUPPORT } from '../../src/jobspec/support/support-table.js'
import { job as storedJob } from '../fixtures.js'
import { readFiles, readText } from './read.js'

const job = (inside: string) =>
  `job "j" {\n  group "g" {\n    task "t" {\n      driver = "raw_exec"\n      config {\n        command = "/bin/true"\n      }\n    }\n${inside}\n  }\n}\n`
const task = (inside: string) =>
  `job "j" {\n  group "g" {\n    task "t" {\n      driver = "raw_exec"\n      config {\n        command = "/bin/true"\n      }\n${inside}\n    }\n  }\n}\n`

/** Mistakes as `line:column summary`, or warnings. */
async function toldOf(text: string): Promise<readonly string[]> {
  const outcome = await readText(text, { support: { region: 'global' } })
  if (outcome.kind === 'mistakes') return outcome.mistakes.map(({ line, column, summary }) => `${line}:${column} ${summary}`)
  return outcome.kind === 'job' ? outcome.warnings : [outcome.kind]
}

test('every member that is decoded is carried out, refused or told to be without effect, and no other is listed', () => {
  for (const name of structNames()) {
    expect(Object.keys(SUPPORT[name]).sort(), name).toEqual(
      structOf(name)
        .fields.map(({ json }) => json)
        .sort(),
    )
    for (const row of Object.values(SUPPORT[name])) expect(supportsOf(row).length).toBeGreaterThan(0)
  }
})

test('docs/jobspec-support.md is what `npm run jobspec-support` writes', () => {
  expect(readFileSync('docs/jobspec-support.md', 'utf8')).toBe(supportPage())
})

describe('what was accepted without a word', () => {
  test.each([
    [
      'extra claims of an identity',
      task('      identity {\n        name = "x"\n        aud = ["a"]\n        ttl = "1h"\n        extra_claims = ["x"]\n      }'),
      '12:9 "extra_claims" is not carried out',
    ],
    ['csi_plugin', task('      csi_plugin {\n        id = "a"\n        type = "node"\n      }'), '8:7 "csi_plugin" is not carried out'],
    ['consul of a group', job('    consul {}'), '9:5 "consul" is not carried out'],
    ['consul of a task', task('      consul {}'), '8:7 "consul" is not carried out'],
    ['secrets of resources', task('      resources {\n        secrets = 5\n      }'), '9:9 "secrets" is not carried out'],
    [
      'denied_envvars',
      task('').replace('command =', 'denied_envvars = ["PATH"]\n        command ='),
      '6:9 "denied_envvars" is not carried out',
    ],
    ['a volume of no type', job('    volume "data" {\n      source = "a"\n    }'), '9:5 "type" is not carried out'],
    [
      'a volume of an unknown type',
      job('    volume "data" {\n      type = "weird"\n      source = "a"\n    }'),
      '10:7 "type" is not carried out',
    ],
    [
      'a CSI volume',
      job(
        '    volume "data" {\n      type = "csi"\n      source = "a"\n      access_mode = "single-node-writer"\n      attachment_mode = "file-system"\n    }',
      ),
      '10:7 "type" is not carried out',
    ],
    [
      'a volume that stays with its allocation',
      job('    volume "data" {\n      type = "host"\n      source = "a"\n      sticky = true\n    }'),
      '12:7 "sticky" is not carried out',
    ],
    ['region', job('').replace('job "j" {', 'job "j" {\n  region = "mars"'), '2:3 "region" is not carried out'],
    ['vault', task('      vault {}'), '8:7 "vault" is not carried out'],
    [
      'dns of raw_exec',
      job('    network {\n      mode = "bridge"\n      dns {\n        servers = ["10.0.0.1"]\n      }\n    }'),
      '11:7 "dns" is not carried out',
    ],
    [
      'hostname of raw_exec',
      job('    network {\n      mode = "bridge"\n      hostname = "web"\n    }'),
      '11:7 "hostname" is not carried out',
    ],
    [
      'a signal to a virtual machine',
      task(
        '      template {\n        data = "x"\n        destination = "local/x"\n        change_mode = "signal"\n        change_signal = "SIGHUP"\n      }',
      )
        .replace('"raw_exec"', '"qemu"')
        .replace('command = "/bin/true"', 'image_path = "local/linux.img"'),
      '11:9 "change_mode" is not carried out',
    ],
  ])('%s is refused at its place', async (_, text, expected) => {
    expect(await toldOf(text)).toEqual([expected])
  })

  test.each([
    [
      'max_client_disconnect',
      job('    max_client_disconnect = "1h"'),
      'line 9: "max_client_disconnect" has no effect: Nomad has dropped it in 1.8; write disconnect { lost_after = … }',
    ],
    [
      'logs.enabled',
      task('      logs {\n        enabled = false\n      }'),
      'line 9: "enabled" has no effect: Nomad has dropped it in 1.5; write disabled = true to keep no logs',
    ],
    [
      'a vault block whose secrets templates read',
      task(
        '      vault {}\n      template {\n        data = "{{ with secret \\"a\\" }}x{{ end }}"\n        destination = "local/x"\n      }',
      ),
      'line 8: templates read secrets of Vault from the variables below secret/ in this repository: there is no Vault here',
    ],
  ])('%s is told', async (_, text, expected) => {
    expect(await toldOf(text)).toContain(expected)
  })
})

test('a payload is refused in a file, and not to the job that was dispatched with it', () => {
  const payload = { Payload: 'aGVsbG8=' }
  expect(taskRefusal(storedJob(payload), 'group', 'main')).toMatch(/"Payload" is not carried out/)
  expect(taskRefusal(storedJob({ ...payload, Dispatched: true }), 'group', 'main')).toBeUndefined()
})

test('services of Consul are told of once for the job', async () => {
  const service = (name: string) => `    service {\n      name = "${name}"\n    }`
  const sentence =
    'services of provider "consul", which is what no word means, are registered with this server\'s own catalogue, not with a Consul'
  const inTask = task(service('api')).replace('    task', `${service('web')}\n    task`)
  const told = await toldOf(inTask)
  expect(told.filter((text) => text.includes('provider'))).toEqual([`line 3: ${sentence}`])
})

test('a number that a driver would get as another one is told', async () => {
  const config = (owner: string) =>
    task('')
      .replace('"raw_exec"', '"docker"')
      .replace('command = "/bin/true"', `image = "a"\n        labels {\n          owner = ${owner}\n        }`)
  const sentence = 'line 8: 1234567890123456789 is handed on as 1234567890123456800; write "1234567890123456789" to keep its digits'
  expect(await toldOf(config('1234567890123456789'))).toEqual([sentence])
  expect(await toldOf(config('"1234567890123456789"'))).toEqual([])
  expect(await toldOf(config('9007199254740992'))).toEqual([])
  expect(await toldOf(config('1.1'))).toEqual([])
})

test('a job that asks for nothing of that kind is sound and quiet', async () => {
  expect(await toldOf(task('      env {\n        A = "1"\n      }'))).toEqual([])
})

test('without being asked who carries it out, a job is read as it is', async () => {
  expect((await readText(task('      csi_plugin {\n        id = "a"\n        type = "node"\n      }'))).kind).toBe('job')
})

test('a member is found in the form of the API too', async () => {
  const text =
    '{ "Job": { "ID": "j", "TaskGroups": [ { "Name": "g", "Tasks": [\n { "Name": "t", "Driver": "raw_exec", "Config": { "command": "x" },\n "Secrets": [ { "Name": "s", "Provider": "nomad", "Path": "y" } ] } ] } ] } }'
  const outcome = await readFiles('jobs/web.nomad.json', { 'jobs/web.nomad.json': text }, { support: {} })
  expect(outcome).toMatchObject({ kind: 'mistakes', mistakes: [{ line: 3, summary: '"secret" is not carried out' }] })
})
