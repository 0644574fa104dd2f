/** Services and their checks: what is registered, when, and what follows from a check. */
import { expect, test } from 'vitest'
import { memoryHookPorts } from '../../src/adapters/memory/hook-ports.js'
import type { TaskEnvironment } from '../../src/agent/environment.js'
import type { CheckAnswer } from '../../src/agent/index.js'
import { OfferedServices } from '../../src/agent/services.js'
import { SECOND, type Service, type ServiceCheck } from '../../src/domain/index.js'
import { AgentHarness, mockTask, type Wanted, wanted } from './harness.js'

const SERVICE: Service = {
  Name: 'web',
  TaskName: '',
  PortLabel: '8080',
  AddressMode: 'auto',
  Address: '',
  EnableTagOverride: false,
  Tags: null,
  CanaryTags: null,
  Checks: null,
  Connect: null,
  Meta: null,
  CanaryMeta: null,
  TaggedAddresses: null,
  Namespace: 'default',
  OnUpdate: 'require_healthy',
  Provider: 'nomad',
  Cluster: 'default',
  Identity: null,
  Weights: null,
  Kind: '',
}
const CHECK: ServiceCheck = {
  Name: 'open',
  Type: 'http',
  Command: '',
  Args: null,
  Path: '/health',
  Protocol: '',
  PortLabel: '',
  Expose: false,
  AddressMode: '',
  Interval: SECOND,
  Timeout: SECOND,
  InitialStatus: '',
  TLSSkipVerify: false,
  TLSServerName: '',
  Method: '',
  Header: null,
  CheckRestart: null,
  GRPCService: '',
  GRPCUseTLS: false,
  TaskName: '',
  SuccessBeforePassing: 0,
  FailuresBeforeCritical: 0,
  FailuresBeforeWarning: 0,
  Body: '',
  OnUpdate: 'require_healthy',
  Notes: '',
}
const FAILING: CheckAnswer = { isPassing: false, output: 'not today', statusCode: 503 }
const PASSING: CheckAnswer = { isPassing: true, output: 'ok', statusCode: 200 }

const service = (over: Partial<Service>): Service => ({ ...SERVICE, ...over })

async function begin(one: Wanted) {
  const harness = new AgentHarness()
  const asked: string[] = []
  let answer = PASSING
  let held: Promise<CheckAnswer> | undefined
  const ports = memoryHookPorts(harness.written)
  harness.hookPorts = {
    ...ports,
    checks: {
      ...ports.checks,
      http: async ({ method, url }) => {
        asked.push(`${method} ${url}`)
        return held ?? answer
      },
    },
  }
  harness.server.wanted = [one]
  await harness.start()
  const report = () => harness.server.lastReport(one.allocation.ID)!
  return {
    harness,
    asked,
    report,
    services: () =>
      (report().Services ?? []).map(({ ID, ServiceName, Tags, Address, Port }) => [
        ID.replace(one.allocation.ID, '…'),
        ServiceName,
        Tags,
        Address,
        Port,
      ]),
    events: () => report().TaskStates['main']!.Events.map(({ Type, DisplayMessage }) => `${Type}: ${DisplayMessage}`),
    say(next: CheckAnswer) {
      answer = next
    },
    /** Nothing is answered from now on. @returns the way to go on */
    hold(): (next: CheckAnswer) => void {
      let resolve = (_: CheckAnswer) => {}
      held = new Promise((done) => {
        resolve = done
      })
      return (next) => {
        held = undefined
        answer = next
        resolve(next)
      }
    },
  }
}

test('services of group and task are registered with every text of them filled in', async () => {
  const ofGroup = service({
    Name: 'shop-${NOMAD_GROUP_NAME}',
    Tags: ['node=${node.unique.name}', 'copy=${NOMAD_ALLOC_INDEX}', 'x=${none.such}'],
    Address: '10.0.0.1',
  })
  const ofTask = service({ Name: '${NOMAD_TASK_NAME}-${NOMAD_META_tier}', Provider: 'consul' })
  const { services, harness } = await begin(
    wanted(3, {}, [mockTask({ Services: [ofTask], Meta: { tier: 'front' } })], { Services: [ofGroup] }),
  )
  expect(services()).toEqual([
    ['_nomad-task-…-group-web-shop-web-8080', 'shop-web', [`node=${harness.node.Name}`, 'copy=3', 'x=${none.such}'], '10.0.0.1', 8080],
    ['_nomad-task-…-main-main-front-8080', 'main-front', [], '', 8080],
  ])
})

test('a service of a task goes when the task ends, that of the group with the allocation', async () => {
  const one = wanted(
    1,
    {},
    [mockTask({ Services: [service({ Name: 'inner' })], Config: { kill_after: '5s' }, KillTimeout: 10 * SECOND })],
    { Services: [service({ Name: 'outer' })] },
  )
  const { services, harness } = await begin(one)
  expect(services().map(([, name]) => name)).toEqual(['outer', 'inner'])
  harness.server.publish([])
  await harness.settle()
  expect(harness.running()).toHaveLength(1)
  expect(services()).toEqual([])
})

test('a canary has its own tags until it is promoted', async () => {
  const canary = service({ Tags: ['main'], CanaryTags: ['trial'] })
  const one = wanted(
    1,
    { DeploymentStatus: { Healthy: null, Timestamp: '0001-01-01T00:00:00Z', Canary: true, ModifyIndex: 0 } },
    [mockTask()],
    { Services: [canary] },
  )
  const { services, harness } = await begin(one)
  expect(services()[0]![2]).toEqual(['trial'])
  const promoted = { ...one.allocation, AllocModifyIndex: 30, DeploymentStatus: { ...one.allocation.DeploymentStatus!, Canary: false } }
  harness.server.publish([{ ...one, allocation: promoted }])
  await harness.settle()
  expect(services()[0]![2]).toEqual(['main'])
})

const deployed = (check: Partial<ServiceCheck>) => {
  const update = {
    Stagger: 0,
    MaxParallel: 1,
    HealthCheck: 'checks',
    MinHealthyTime: SECOND,
    HealthyDeadline: 60 * SECOND,
    ProgressDeadline: 0,
    AutoRevert: false,
    AutoPromote: false,
    Canary: 0,
  }
  return wanted(1, { DeploymentID: 'd' }, [mockTask()], {
    Services: [service({ Address: '127.0.0.1', Checks: [{ ...CHECK, ...check }] })],
    Update: update,
  })
}

test('a deployment is not healthy before its checks pass', async () => {
  const { harness, asked, report, say } = await begin(deployed({}))
  say(FAILING)
  await harness.clock.advance(10_000)
  expect(asked[0]).toBe('GET http://127.0.0.1:8080/health')
  expect(report().DeploymentStatus).toBeUndefined()
  say(PASSING)
  await harness.clock.advance(5_000)
  expect(report().DeploymentStatus?.Healthy).toBe(true)
})

test('a check that is only about readiness does not hold the deployment back', async () => {
  const { harness, report, say } = await begin(deployed({ OnUpdate: 'ignore' }))
  say(FAILING)
  await harness.clock.advance(5_000)
  expect(report().DeploymentStatus?.Healthy).toBe(true)
})

test('a check that fails for too long restarts the task, which the restart policy counts', async () => {
  const check = { ...CHECK, CheckRestart: { Limit: 2, Grace: SECOND, IgnoreWarnings: false } }
  const policy = { Attempts: 1, Interval: 600 * SECOND, Delay: SECOND, Mode: 'fail', RenderTemplates: false }
  const { harness, events, report, say } = await begin(
    wanted(1, {}, [mockTask({ RestartPolicy: policy, Services: [service({ Checks: [check] })] })]),
  )
  await harness.clock.advance(5_000)
  expect(report().TaskStates['main']!.Restarts).toBe(0)
  say(FAILING)
  await harness.clock.advance(30_000)
  expect(events().filter((event) => !/^(Alloc Unhealthy|Received|Task Setup)/.test(event))).toEqual(
    [
      'Started: Task started by client',
      'Restart Signaled: healthcheck: check "open" unhealthy',
      'Terminated: Exit Code: 0',
      'Restarting: Task restarting in 1s',
      'Started: Task started by client',
      'Restart Signaled: healthcheck: check "open" unhealthy',
      'Terminated: Exit Code: 0',
      'Not Restarting: Exceeded allowed attempts 1 in interval 10m0s and mode is "fail"',
    ].map((event) => (event.startsWith('Restarting') ? expect.stringMatching(/^Restarting: Task restarting in 1/) : event)),
  )
})

test('a check that is not answered is not asked again meanwhile, and goes on when it is', async () => {
  const { harness, asked, report, hold } = await begin(deployed({}))
  const answer = hold()
  await harness.clock.advance(30_000)
  expect(asked).toHaveLength(1)
  answer(PASSING)
  await harness.clock.advance(3_000)
  expect(asked.length).toBeGreaterThan(1)
  expect(report().DeploymentStatus?.Healthy).toBe(true)
})

test('a script decides by its exit code: 0 is well, 1 a warning, and more is ill', async () => {
  const script = { Type: 'script', Command: '/bin/probe', OnUpdate: 'ignore_warnings' }
  for (const [exitCode, isHealthy] of [
    [0, true],
    [1, true],
    [2, undefined],
  ] as const) {
    const { harness, report } = await begin(deployed({ ...script, TaskName: 'main' }))
    harness.host.programExitCode = exitCode
    await harness.clock.advance(10_000)
    expect([exitCode, report().DeploymentStatus?.Healthy]).toEqual([exitCode, isHealthy])
  }
})

test('checks of an allocation that ends are made no more', async () => {
  const { harness, asked } = await begin(deployed({}))
  await harness.clock.advance(3_000)
  harness.server.publish([])
  await harness.settle()
  const count = asked.length
  await harness.clock.advance(10_000)
  expect(asked.length).toBe(count)
})

test('services are filled in once, and again when what they are made of is another', () => {
  const offered = new OfferedServices()
  const asked: string[] = []
  const two = ['a', 'b'].map((letter) => service({ Name: `\${NOMAD_JOB_NAME}-${letter}` }))
  const group = wanted(1, {}, undefined, { Services: two }).job.TaskGroups[0]!
  const up = (name: string, basis: readonly unknown[]) => {
    const environmentOf = (): TaskEnvironment => {
      asked.push(name)
      return { variables: { NOMAD_JOB_NAME: name }, nodeValues: {} }
    }
    return offered.up({ group, isGroupUp: true, isUp: () => true, basis, environmentOf }).map(({ service }) => service.Name)
  }
  const allocation = {}

  expect(up('first', [allocation, 'address'])).toEqual(['first-a', 'first-b'])
  expect(up('unasked', [allocation, 'address'])).toEqual(['first-a', 'first-b'])
  expect(up('moved', [allocation, 'another'])).toEqual(['moved-a', 'moved-b'])
  expect(up('updated', [{}, 'another'])).toEqual(['updated-a', 'updated-b'])
  expect(asked).toEqual(['first', 'moved', 'updated'])
})
