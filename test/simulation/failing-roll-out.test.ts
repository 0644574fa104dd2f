/** What the recorded story `deploy-unlimited-reschedule` tells, in virtual time. */
import { expect, test } from 'vitest'
import { World } from './world.js'

const SECOND = 1e9
const FLEET = {
  Job: {
    ID: 'fleet',
    Type: 'service',
    TaskGroups: [
      {
        Name: 'ship',
        Count: 1,
        EphemeralDisk: { SizeMB: 10 },
        Update: {
          MaxParallel: 1,
          HealthCheck: 'task_states',
          MinHealthyTime: 3 * SECOND,
          HealthyDeadline: 6 * SECOND,
          ProgressDeadline: 9 * SECOND,
        },
        RestartPolicy: { Attempts: 0, Delay: SECOND, Interval: 600 * SECOND, Mode: 'fail' },
        ReschedulePolicy: { Delay: 5 * SECOND, DelayFunction: 'constant', Unlimited: true, Attempts: 0, Interval: 0, MaxDelay: 0 },
        Tasks: [
          {
            Name: 'sail',
            Driver: 'mock_driver',
            Config: { run_for: '100ms', exit_code: 1 },
            Resources: { CPU: 20, MemoryMB: 16 },
            LogConfig: { MaxFiles: 1, MaxFileSizeMB: 1 },
          },
        ],
      },
    ],
  },
}

test('a failing instance is replaced until the progress deadline fails the roll-out; the job waits for its follow-up, and then it is dead', async () => {
  const world = new World({ seed: 5, hosts: 1 })
  const statuses: string[] = []
  world.durable.jobs.observe((before, after) => {
    if (after !== undefined && after.Status !== before?.Status) statuses.push(after.Status)
  })
  world.repository.commit({ 'agents/host-1.hcl': 'class = "a"\n', 'jobs/fleet.nomad.json': JSON.stringify(FLEET) })
  world.startServer()
  for (const host of world.hosts) host.startAgent()
  await world.run(30_000)
  expect(world.durable.deployments.all()).toMatchObject([
    {
      Status: 'failed',
      StatusDescription: 'Failed due to progress deadline',
      TaskGroups: { ship: { PlacedAllocs: 2, UnhealthyAllocs: 2 } },
    },
  ])
  expect(
    world.durable.allocations
      .all()
      .map(({ ClientStatus, DesiredStatus }) => `${DesiredStatus} ${ClientStatus}`)
      .sort(),
  ).toEqual(['run failed', 'stop failed'])
  expect(statuses.slice(-3)).toEqual(['running', 'pending', 'dead'])
})
