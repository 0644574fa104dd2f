/** Scripts of checks run in real tasks, through the drivers that run those. */
import { afterEach, expect, test, vi } from 'vitest'
import { findSandboxTools } from '../../src/adapters/drivers/exec/sandbox.js'
import { Cluster } from '../acceptance/cluster.js'

const WITHIN_MS = 60_000
let cluster: Cluster | undefined

afterEach(async () => {
  await cluster?.remove()
  cluster = undefined
})

const check = (name: string, script: string, timeout = '2s') => `
      check {
        name     = "${name}"
        type     = "script"
        command  = "/bin/sh"
        args     = ["-c", ${JSON.stringify(script)}]
        interval = "1s"
        timeout  = "${timeout}"
      }`

const job = (driver: string) => `job "probed" {
  group "main" {
    task "main" {
      driver = "${driver}"
      config {
        command = "/bin/sh"
        args    = ["-c", "echo here > \${NOMAD_ALLOC_DIR}/data/mark; exec sleep 86000"]
      }
      env { WORD = "given" }
      resources {
        cpu    = 10
        memory = 32
      }
      service {
        name = "probed"
        ${check('well', 'cat $NOMAD_ALLOC_DIR/data/mark; echo $WORD')}
        ${check('ill', 'echo broken >&2; exit 2')}
        ${check('endless', 'setsid sleep 600 & wait', '1s')}
      }
    }
  }
}
`

interface CheckRow {
  readonly Check: string
  readonly Status: string
  readonly Output: string
  readonly Task?: string
}

async function checksOf(driver: string): Promise<Readonly<Record<string, readonly [status: string, output: string]>>> {
  const own = new Cluster()
  cluster = own
  for (const path of ['jobs/hello.nomad.hcl', 'jobs/tick.nomad.yaml']) own.git('rm', '-q', path)
  own.write('jobs/probed.nomad.hcl', job(driver))
  own.commit('a job with scripts')
  await own.start()
  return vi.waitFor(
    async () => {
      const [allocation] = await own.get<readonly { ID: string }[]>('/v1/job/probed/allocations')
      const rows = Object.values(await own.get<Readonly<Record<string, CheckRow>>>(`/v1/client/allocation/${allocation!.ID}/checks`))
      if (rows.length < 3 || rows.some(({ Status }) => Status === 'pending')) throw new Error(`not all made: ${JSON.stringify(rows)}`)
      // What a script ends with is no status of HTTP, and members that say nothing are left out, as Nomad's agents do.
      expect(rows.map((row) => ['StatusCode' in row, row.Task])).toEqual(rows.map(() => [false, 'main']))
      return Object.fromEntries(rows.map(({ Check, Status, Output }) => [Check, [Status, Output] as const]))
    },
    { timeout: WITHIN_MS, interval: 100 },
  )
}

const EXPECTED = {
  well: ['success', 'here\ngiven\n'],
  ill: ['failure', 'broken\n'],
  endless: ['failure', '/bin/sh took more than 1000 ms'],
}

test('scripts run beside a task of raw_exec, and one that leaves something behind ends at its time', {
  timeout: 2 * WITHIN_MS,
}, async () => {
  expect(await checksOf('raw_exec')).toEqual(EXPECTED)
})

function hasSandbox(): boolean {
  try {
    findSandboxTools()
    return true
  } catch {
    return false
  }
}

test.skipIf(!hasSandbox())('scripts run in the root of a task of exec', { timeout: 2 * WITHIN_MS }, async () => {
  expect(await checksOf('exec')).toEqual(EXPECTED)
})
