/** An encrypted variable from the commit to the task, and nowhere else: no file of the server, no answer of the API. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalSecrets } from '../../src/main/secrets.js'
import { Cluster, until } from '../acceptance/cluster.js'

const WITHIN_MS = 60_000
const FIRST = 'canary-one-7b1f'
const SECOND = 'canary-two-93ac'
let cluster: Cluster
let value = ''

const JOB = `job "web" {
  group "main" {
    task "main" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "exec sleep 86000"]
      }
      template {
        data        = "{{ with nomadVar \\"nomad/jobs/web\\" }}{{ .user }} {{ .password }}{{ end }}"
        destination = "secrets/login"
        change_mode = "noop"
      }
      template {
        data        = "PASSWORD={{ with nomadVar \\"nomad/jobs/web\\" }}{{ .password }}{{ end }}"
        destination = "secrets/login.env"
        env         = true
        change_mode = "noop"
      }
      resources {
        cpu    = 10
        memory = 32
      }
    }
  }
}
`

const secrets = () =>
  new LocalSecrets(cluster.folder, join(cluster.folder, '.drover', 'identity.txt'), {
    readValue: async () => value,
    edit: async (text) => text,
  })

beforeAll(() => {
  cluster = new Cluster()
})
afterAll(async () => {
  delete process.env['DROVER_IDENTITY_FILE']
  await cluster.remove()
})

test('a job is given the value of an encrypted variable, and the new one when it is changed; nobody else sees either', {
  timeout: 3 * WITHIN_MS,
}, async () => {
  for (const path of ['jobs/hello.nomad.hcl', 'jobs/tick.nomad.yaml']) cluster.git('rm', '-q', path)
  const recipient = await secrets().makeKey(secrets().keyFile)
  cluster.write('vars/_recipients.yaml', `host: ${recipient}\n`)
  cluster.write('vars/default/nomad/jobs/web.yaml', 'user: ann\n')
  await setPassword(FIRST)
  cluster.write('jobs/web.nomad.hcl', JOB)
  cluster.commit('a job with a secret')
  process.env['DROVER_IDENTITY_FILE'] = secrets().keyFile
  await cluster.start()
  await until('the first value is rendered', WITHIN_MS, () => rendered() === `ann ${FIRST}`)
  await setPassword(SECOND)
  cluster.commit('another password')
  await until('the second value is rendered', WITHIN_MS, () => rendered() === `ann ${SECOND}`)
  const [allocation] = await cluster.get<readonly { ID: string }[]>('/v1/job/web/allocations')
  const answers = [
    '/v1/vars',
    '/v1/var/nomad/jobs/web',
    '/v1/job/web',
    `/v1/allocation/${allocation!.ID}`,
    '/v1/jobs',
    '/drover/v1/source',
    '/drover/v1/commits',
    `/v1/client/fs/cat/${allocation!.ID}?path=main/secrets/login`,
  ]
  for (const path of answers) expect(await (await fetch(cluster.url + path)).text(), path).not.toMatch(/canary-/)
  expect(await (await fetch(`${cluster.url}/v1/var/nomad/jobs/web`)).text()).toContain('BEGIN AGE ENCRYPTED FILE')
  const told = filesBelow(join(cluster.folder, '.drover')).filter((file) => !/\/secrets\/login(\.env)?$/.test(file))
  expect(told.length).toBeGreaterThan(5)
  expect(told.filter((file) => /canary-/.test(readFileSync(file, 'latin1')))).toEqual([])
  expect(cluster.output).not.toMatch(/canary-/)
})

async function setPassword(text: string): Promise<void> {
  value = text
  await secrets().set({ namespace: 'default', path: 'nomad/jobs/web', name: 'password', isPlain: false })
}

function rendered(): string | undefined {
  const file = filesBelow(join(cluster.folder, '.drover')).find((path) => path.endsWith('/secrets/login'))
  return file === undefined ? undefined : readFileSync(file, 'utf8')
}

/** Regular ones: reading a pipe would take its content from somebody. */
function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return filesBelow(path)
    try {
      return statSync(path).isFile() ? [path] : []
    } catch {
      return []
    }
  })
}
