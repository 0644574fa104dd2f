/** Tokens of a task: where they lie, when they are fetched anew, and what the task hears of it. */
import { expect, test } from 'vitest'
import type { WorkloadIdentity } from '../../src/domain/index.js'
import { task } from '../fixtures.js'
import { AgentHarness, mockTask, wanted } from './harness.js'

const IDENTITY: WorkloadIdentity = { ...task().Identity!, Name: '' }
const TTL_MS = 20_000
const MINUTE_MS = 60_000

const identity = (over: Partial<WorkloadIdentity>): WorkloadIdentity => ({ ...IDENTITY, ...over })
const short = (over: Partial<WorkloadIdentity>) => identity({ Name: 'short', TTL: TTL_MS * 1e6, File: true, ...over })

async function begin(task: Parameters<typeof mockTask>[0], before: (harness: AgentHarness) => void = () => {}) {
  const harness = new AgentHarness()
  const one = wanted(1, {}, [mockTask(task)])
  harness.server.wanted = [one]
  before(harness)
  await harness.start()
  await harness.settle()
  const id = one.allocation.ID
  return {
    harness,
    file: (path: string) => {
      const found = [...harness.written].find(([name]) => name.endsWith(`${id}/main/${path}`))
      return found === undefined ? undefined : Buffer.from(found[1]).toString()
    },
    told: () => {
      const { Events } = harness.server.lastReport(id)!.TaskStates['main']!
      return Events.filter(({ Type }) => Type !== 'Alloc Unhealthy').map(({ Type, DisplayMessage }) => `${Type}: ${DisplayMessage}`)
    },
    process: () => [...harness.host.processes.values()].at(-1)!,
  }
}

test('tokens lie where they were asked for, and in the environment', async () => {
  const { harness, file } = await begin({
    Identity: identity({ Name: 'default', Env: true, File: true }),
    Identities: [
      identity({ Name: 'aws', Env: true }),
      identity({ Name: 'db', File: true }),
      identity({ Name: 'x', File: true, Filepath: 'local/t' }),
    ],
  })
  expect(harness.server.signed).toEqual([expect.objectContaining({ task: 'main', identities: ['default', 'aws', 'db', 'x'] })])
  expect([file('secrets/nomad_token'), file('secrets/nomad_db.jwt'), file('local/t')]).toEqual(['default 1', 'db 1', 'x 1'])
  expect(file('secrets/nomad_aws.jwt')).toBeUndefined()
  expect(harness.environmentOf('main')).toMatchObject({ NOMAD_TOKEN: 'default 1', NOMAD_TOKEN_aws: 'aws 1' })
  expect(harness.environmentOf('main')).not.toHaveProperty('NOMAD_TOKEN_db')
})

test('a task that asks for none waits for nobody', async () => {
  const { harness } = await begin({ Identity: identity({ Name: 'default' }) })
  expect([harness.running().length, harness.server.signed.length]).toEqual([1, 0])
})

test('templates see the tokens of the environment', async () => {
  const template = {
    DestPath: 'local/x',
    EmbeddedTmpl: '{{ env "NOMAD_TOKEN" }}',
    LeftDelim: '{{',
    RightDelim: '}}',
    Perms: '0644',
    SourcePath: '',
  }
  const { file } = await begin({ Identity: identity({ Env: true }), Templates: [template as never] })
  expect(file('local/x')).toBe('default 1')
})

test('what expires is fetched anew after half of its time, and the task gets its signal', async () => {
  const { harness, file, told, process } = await begin(
    { Identities: [short({ ChangeMode: 'signal', ChangeSignal: 'SIGUSR1' })] },
    ({ server }) => {
      server.identityTtlMs = TTL_MS
    },
  )
  await harness.clock.advance(TTL_MS / 2 - 1_000)
  expect(file('secrets/nomad_short.jwt')).toBe('short 1')
  await harness.clock.advance(1_000)
  expect([file('secrets/nomad_short.jwt'), process().signals]).toEqual(['short 2', ['SIGUSR1']])
  expect(told().at(-1)).toBe('Signaling: Identity[short]: new Identity token acquired')
  await harness.clock.advance(TTL_MS / 2)
  expect(file('secrets/nomad_short.jwt')).toBe('short 3')
})

test('or is restarted with the new one', async () => {
  const { harness, told } = await begin({ Identities: [short({ ChangeMode: 'restart', Env: true })] }, ({ server }) => {
    server.identityTtlMs = TTL_MS
  })
  await harness.clock.advance(TTL_MS / 2 + 1_000)
  expect(told()).toContain('Restart Signaled: Identity[short]: new token acquired')
  expect(harness.environmentOf('main')).toMatchObject({ NOMAD_TOKEN_short: 'short 2' })
  expect(harness.server.signed).toHaveLength(2)
})

test('a silent server holds a start back and ends nothing that runs', async () => {
  const { harness, file } = await begin({ Identities: [short({ ChangeMode: 'restart' })] }, ({ server }) => {
    server.identityTtlMs = TTL_MS
  })
  harness.server.isSilent = true
  await harness.clock.advance(MINUTE_MS)
  expect([harness.running().length, file('secrets/nomad_short.jwt')]).toEqual([1, 'short 1'])
  harness.server.isSilent = false
  await harness.clock.advance(MINUTE_MS)
  expect(file('secrets/nomad_short.jwt')).not.toBe('short 1')
})

test('after a restart of the agent a token is as old as its file says', async () => {
  const { harness, process } = await begin({ Identities: [short({ ChangeMode: 'signal', ChangeSignal: 'SIGUSR2' })] }, ({ server }) => {
    server.identityTtlMs = TTL_MS
  })
  const [path] = [...harness.written.keys()].filter((name) => name.endsWith('nomad_short.jwt'))
  const exp = (harness.clock.wallMs() + TTL_MS) / 1000
  harness.written.set(path!, Buffer.from(`x.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.y`))
  await harness.kill()
  await harness.start()
  expect(harness.server.signed).toHaveLength(1)
  await harness.clock.advance(TTL_MS / 2)
  expect([harness.server.signed.length, process().signals]).toEqual([2, ['SIGUSR2']])
})
