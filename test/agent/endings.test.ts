/** What ends an allocation besides the server and its own tasks, and what is handed on to the one that replaces it. */
import { describe, expect, test } from 'vitest'
import { SECOND } from '../../src/domain/index.js'
import { START_MS } from './hand-clock.js'
import { AgentHarness, mockTask, stopped, type Wanted, wanted } from './harness.js'

async function begin(...all: readonly Wanted[]) {
  const harness = new AgentHarness()
  harness.server.wanted = all
  await harness.start()
  await harness.settle()
  return harness
}

function told(harness: AgentHarness, { allocation }: Wanted, task: string) {
  const { Events } = harness.server.lastReport(allocation.ID)!.TaskStates[task]!
  return Events.filter(({ Type }) => Type !== 'Alloc Unhealthy').map(({ Type, DisplayMessage }) => `${Type}: ${DisplayMessage}`)
}

describe('max_run_duration', () => {
  const poststop = mockTask({ Name: 'tidy', Lifecycle: { Hook: 'poststop', Sidecar: false } })
  const bounded = () =>
    wanted(1, { CreateTime: START_MS * 1e6 }, [mockTask({ Config: { kill_after: '1s' } }), poststop], { MaxRunDuration: 10 * SECOND })

  test('counts from the placement, and ends everything, poststop tasks included', async () => {
    const one = bounded()
    const harness = await begin(one)
    await harness.clock.advance(9_900)
    expect(harness.running()).toHaveLength(1)
    await harness.clock.advance(2_000)
    expect(harness.running()).toEqual([])
    expect(harness.server.lastReport(one.allocation.ID)).toMatchObject({
      ClientStatus: 'complete',
      ClientDescription: 'allocation exceeded max_run_duration',
    })
    expect(told(harness, one, 'main').at(-3)).toBe('Killing: allocation exceeded max_run_duration')
    expect(told(harness, one, 'tidy')).toEqual(['Received: Task received by client', 'Killing: allocation exceeded max_run_duration'])
  })

  test('goes on counting while the agent is away', async () => {
    const harness = await begin(bounded())
    await harness.kill()
    await harness.clock.advance(11_000)
    expect(harness.running()).toHaveLength(1)
    await harness.start()
    await harness.clock.advance(1_500)
    expect(harness.running()).toEqual([])
  })
})

describe('stop_on_client_after', () => {
  const alone = (stopAfterMs: number) => {
    const Disconnect = { LostAfter: 0, StopOnClientAfter: stopAfterMs * 1e6, Replace: true, Reconcile: '' }
    return wanted(1, {}, [mockTask()], { Disconnect })
  }

  test('ends what no server was heard of for so long, and nothing else', async () => {
    const one = alone(8_000)
    const plain = wanted(2, { JobVersion: 1 })
    const other = { ...plain, job: { ...plain.job, Version: 1 } }
    const harness = await begin(one, other)
    await harness.clock.advance(60_000)
    expect(harness.running()).toHaveLength(2)
    harness.server.isSilent = true
    await harness.clock.advance(15_000)
    expect(harness.running()).toEqual([`${other.allocation.ID}/main/1`])
    harness.server.isSilent = false
    await harness.clock.advance(15_000)
    expect(harness.server.lastReport(one.allocation.ID)?.ClientStatus).toBe('complete')
    expect(harness.running()).toEqual([`${other.allocation.ID}/main/1`])
  })

  test('the start of the agent counts as heard', async () => {
    const harness = await begin(alone(8_000))
    harness.server.isSilent = true
    await harness.clock.advance(6_000)
    await harness.kill()
    await harness.start()
    await harness.clock.advance(6_000)
    expect(harness.running()).toHaveLength(1)
    await harness.clock.advance(8_000)
    expect(harness.running()).toEqual([])
  })
})

describe('a sticky disk', () => {
  const disk = (Sticky: boolean) => ({ EphemeralDisk: { Sticky, Migrate: false, SizeMB: 10 } })

  test.each([
    [true, 'goes to the allocation that takes the place of another, once that has ended'],
    [false, 'that is none stays where it is'],
  ])('(%s) %s', async (isSticky) => {
    const first = wanted(1, {}, [mockTask({ Config: { kill_after: '3s' } })], disk(isSticky))
    const harness = await begin(first)
    const second = wanted(2, { PreviousAllocation: first.allocation.ID }, [mockTask()], disk(isSticky))
    harness.server.publish([stopped(first, 20), second])
    await harness.clock.advance(1_000)
    expect(harness.directories.inherited).toEqual([])
    await harness.clock.advance(5_000)
    expect(harness.running()).toEqual([`${second.allocation.ID}/main/1`])
    expect(harness.directories.inherited).toEqual(isSticky ? [[first.allocation.ID, second.allocation.ID]] : [])
  })
})
