/** An engine that listens and does not answer is not sick at once. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { DockerDriver } from '../../../src/adapters/drivers/docker/docker-driver.js'
import { dockerOptionsSchema } from '../../../src/adapters/drivers/docker/options.js'
import { silentLogger } from '../../../src/adapters/logger.js'
import { HandClock } from '../../agent/hand-clock.js'
import { until } from './supervised.js'

test('of an engine that is only slow it is believed for some looks what it said before, and of one that is gone nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-slow-'))
  const waiting: ServerResponse[] = []
  let isSlow = false
  const engine = createServer((request, response) => {
    if (isSlow) return void waiting.push(response)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url?.includes('version') === true ? { Version: '1.2.3' } : { OSType: 'linux', CgroupVersion: '2' }))
  })
  await new Promise<void>((resolve) => engine.listen(join(folder, 'engine.sock'), resolve))
  const clock = new HandClock()
  const options = dockerOptionsSchema.parse({ endpoint: `unix://${folder}/engine.sock` })
  const driver = new DockerDriver({ options, environment: {}, owner: 'o', folder, clock, logger: silentLogger })
  onTestFinished(() => {
    driver.close()
    engine.closeAllConnections()
    engine.close()
    rmSync(folder, { recursive: true })
  })
  const look = async () => {
    const before = waiting.length
    const found = driver.fingerprint()
    if (isSlow) {
      await until(() => waiting.length > before)
      await clock.advance(10_000)
    }
    const { Healthy, HealthDescription } = await found
    return { Healthy, HealthDescription }
  }
  const healthy = { Healthy: true, HealthDescription: 'Healthy' }
  const sick = { Healthy: false, HealthDescription: expect.stringContaining('it listens and does not answer in time') }

  expect(await look()).toEqual(healthy)
  isSlow = true
  expect([await look(), await look(), await look()]).toEqual([healthy, healthy, sick])
  isSlow = false
  expect(await look()).toEqual(healthy)
  isSlow = true
  expect(await look()).toEqual(healthy)
  engine.closeAllConnections()
  await new Promise((resolve) => engine.close(resolve))
  isSlow = false
  expect(await look()).toEqual({ Healthy: false, HealthDescription: expect.stringMatching(/ENOENT|ECONNREFUSED/) })
})
