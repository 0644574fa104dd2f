/** What listens where an engine should be and is none, and addresses that lead nowhere: the host says so, and lives on. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { DockerDriver } from '../../../src/adapters/drivers/docker/docker-driver.js'
import { Engine, isAway } from '../../../src/adapters/drivers/docker/engine.js'
import { dockerOptionsSchema } from '../../../src/adapters/drivers/docker/options.js'
import { silentLogger } from '../../../src/adapters/logger.js'
import { HandClock } from '../../agent/hand-clock.js'

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-strange-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

async function look(address: string) {
  const options = dockerOptionsSchema.parse({})
  const environment = { DOCKER_HOST: address }
  const driver = new DockerDriver({ options, environment, owner: 'o', folder: makeFolder(), clock: new HandClock(), logger: silentLogger })
  onTestFinished(() => driver.close())
  const { Healthy, HealthDescription } = await driver.fingerprint()
  return { Healthy, HealthDescription }
}

async function listen(server: Server): Promise<string> {
  const path = join(makeFolder(), 'engine.sock')
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(() => void server.close())
  return `unix://${path}`
}

test.each(['nonsense', 'ssh://box', 'unix://relative', 'tcp://', 'tcp://:99999'])('the address %s is told to be none', async (address) => {
  const reason = `"${address}" is no address of an engine: unix:///path/of/socket or tcp://host:port`
  expect(await look(address)).toEqual({ Healthy: false, HealthDescription: `Failed to connect to docker daemon: ${reason}` })
})

test('an address of version 6 is taken', () => {
  const { endpoint } = new Engine(dockerOptionsSchema.parse({ endpoint: 'https://[::1]:443' }), {})
  expect(endpoint).toEqual({ host: '::1', port: 443, isSecure: true })
})

test('an answer of something else than an engine is told as it is', async () => {
  const address = await listen(
    createHttpServer((_, response) => {
      response.writeHead(404, { 'content-type': 'application/json', connection: 'close' })
      response.end('{"errors":[{"code":"UNKNOWN"}]}')
    }),
  )
  const told = 'Failed to connect to docker daemon: Error response from daemon: {"errors":[{"code":"UNKNOWN"}]}'
  expect(await look(address)).toEqual({ Healthy: false, HealthDescription: told })
})

test('an answer that is no description of an engine makes the driver unhealthy', async () => {
  const address = await listen(createHttpServer((_, response) => response.writeHead(200, { connection: 'close' }).end('hello')))
  expect(await look(address)).toEqual({
    Healthy: false,
    HealthDescription: `Failed to connect to docker daemon: Cannot connect to the Docker daemon at ${address}: what answers there is no engine`,
  })
})

test('what does not speak HTTP counts as an engine that is away, for which a start waits', async () => {
  const address = await listen(createServer((socket) => socket.on('error', () => {}).end('220 mail is here\r\n')))
  const engine = new Engine(dockerOptionsSchema.parse({ endpoint: address }), {})
  const error = await engine.ask((client) => client.getContainer('x').inspect()).catch((error: unknown) => error)
  expect(error).toMatchObject({ message: expect.stringContaining('Cannot connect to the Docker daemon at unix://') })
  expect(isAway(error)).toBe(true)
})
