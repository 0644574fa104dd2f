/** Drivers that run everywhere keep to the contract; the others do so where there is what they need. */
import { describe, onTestFinished } from 'vitest'
import { systemClock } from '../../../src/adapters/clock.js'
import { MockDriver, MockHost } from '../../../src/adapters/drivers/mock/mock-driver.js'
import { RawExecDriver } from '../../../src/adapters/drivers/raw-exec/index.js'
import { type ContractHost, driverContract, makeDirectories } from './contract.js'
import { Supervised } from './supervised.js'

describe('mock_driver', () => {
  driverContract((): ContractHost => {
    const host = new MockHost(systemClock)
    let life = 0
    return {
      nextLife() {
        const own = ++life
        return new MockDriver(host, { isAlive: () => life === own })
      },
      running: {},
      deaf: { kill_after: '1h' },
      exiting: (code) => ({ run_for: '10ms', exit_code: code }),
      wrong: { run_for: 'soon' },
      directories: { task: '/t', local: '/t/local', secrets: '/t/secrets', shared: '/t/alloc', logs: '/t/alloc/logs' },
      isReal: false,
    }
  })
})

describe('raw_exec', () => {
  driverContract((): ContractHost => {
    const world = new Supervised()
    onTestFinished(() => world.clearAll())
    return {
      nextLife() {
        world.reconnect()
        return new RawExecDriver(world.client, { PATH: '/usr/bin:/bin' })
      },
      running: shell('trap "exit 0" INT TERM; echo ready; while :; do sleep 0.05; done'),
      deaf: shell('trap "" INT TERM; echo ready; while :; do sleep 0.05; done'),
      exiting: (code) => shell(`exit ${code}`),
      wrong: { args: ['x'] },
      directories: makeDirectories(world.folder),
      isReal: true,
    }
  })
})

function shell(script: string): { readonly command: string; readonly args: readonly string[] } {
  return { command: '/bin/sh', args: ['-c', script] }
}
