/** Spans of a commit, as a collector of OpenTelemetry gets them: OTLP/HTTP in JSON, from a real server with a host. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { loadOrCreateKey } from '../../src/adapters/node-key.js'
import { killBelow, unmountBelow } from '../acceptance/cluster.js'
import { ScratchRepository } from '../scratch-repository.js'
import { ServerProcess } from './server-process.js'

const WITHIN_MS = 60_000

interface SentSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
  readonly status: { readonly code: number }
}

interface Sent {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: {
    readonly resourceSpans: readonly {
      readonly resource: { readonly attributes: SentSpan['attributes'] }
      readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly SentSpan[] }[]
    }[]
  }
}

let folder: string
let work: ScratchRepository
let server: ServerProcess | undefined
let collector: Server
const sent: Sent[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drover-spans-'))
  work = new ScratchRepository()
  sent.length = 0
  collector = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method, url, headers } = request
      sent.push({ method, url, headers, body: JSON.parse(Buffer.concat(chunks).toString()) as Sent['body'] })
      response.setHeader('Content-Type', 'application/json')
      response.end('{"partialSuccess":{}}')
    })
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  await server?.stop()
  server = undefined
  collector.closeAllConnections()
  await new Promise((resolve) => collector.close(resolve))
  await killBelow(folder)
  unmountBelow(folder)
  work.remove()
  rmSync(folder, { recursive: true, force: true })
})

const JOB = `job "web" {
  group "main" {
    task "main" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "exec sleep 86000"]
      }
      resources {
        cpu    = 10
        memory = 32
      }
    }
    update {
      min_healthy_time = "0s"
    }
  }
}
`

function start(traces: object): Promise<void> {
  const agent = join(folder, 'agent')
  mkdirSync(agent, { recursive: true })
  const config = join(folder, 'agent.yaml')
  writeFileSync(config, stringify({ data_dir: agent, name: 'h1' }))
  server = new ServerProcess(folder, {
    source: { repository: work.folder, ref: 'refs/heads/main' },
    local_agents: [config],
    nodes: { bound_keys: [{ name: 'h1', public_key: loadOrCreateKey(agent).publicKey }] },
    traces,
  })
  return server.start({ COLLECTOR_TOKEN: 'hunter2' })
}

const spans = () => sent.flatMap(({ body }) => body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
const url = () => `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`

test('a commit is sent as one trace once its job is healthy', { timeout: 3 * WITHIN_MS }, async () => {
  const id = work.commit({ 'jobs/web.nomad.hcl': JOB, 'agents/h1.hcl': '' }, 'a job')
  await start({ url: url(), token_env: 'COLLECTOR_TOKEN' })
  await vi.waitFor(() => expect(spans().map(({ name }) => name)).toContain('healthy'), { timeout: WITHIN_MS, interval: 100 })
  const [first] = sent
  expect(first).toMatchObject({ method: 'POST', url: '/v1/traces' })
  expect(first!.headers).toMatchObject({ 'content-type': 'application/json', authorization: 'Bearer hunter2' })
  const [{ resource, scopeSpans } = { resource: undefined, scopeSpans: [] }] = first!.body.resourceSpans
  expect(resource?.attributes).toEqual(
    expect.arrayContaining([
      { key: 'service.name', value: { stringValue: 'drover' } },
      expect.objectContaining({ key: 'service.version' }),
    ]),
  )
  expect(scopeSpans[0]?.scope.name).toBe('drover')
  const own = spans().filter(({ traceId }) => traceId === id.slice(0, 32))
  const nameOf = new Map(own.map(({ spanId, name }) => [spanId, name]))
  const commit = `commit ${id.slice(0, 12)}`
  expect(own.map(({ name, parentSpanId }) => `${nameOf.get(parentSpanId ?? '') ?? '-'} > ${name}`).sort()).toEqual(
    [
      `- > ${commit}`,
      `${commit} > applied`,
      `${commit} > detected`,
      `${commit} > job default/web`,
      `${commit} > parsed`,
      'job default/web > healthy',
      'job default/web > placed',
      'job default/web > planned',
    ].sort(),
  )
  for (const { spanId, kind, startTimeUnixNano, endTimeUnixNano, status } of own) {
    expect([spanId, kind, status.code]).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), 1, 0])
    expect(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano)).toBe(true)
    expect(startTimeUnixNano).toMatch(/^\d{19}$/)
  }
  const whole = own.find(({ name }) => name === commit)!
  expect(whole.attributes).toEqual(expect.arrayContaining([{ key: 'drover.commit.id', value: { stringValue: id } }]))
})

test('a collector that is away keeps nobody waiting, and is told of in the log', { timeout: 3 * WITHIN_MS }, async () => {
  work.commit({ 'jobs/web.nomad.hcl': JOB, 'agents/h1.hcl': '' })
  const away = url()
  collector.close()
  await start({ url: away })
  const running = await server!.until<readonly { ClientStatus: string }[]>(
    '/v1/job/web/allocations',
    ([one]) => one?.ClientStatus === 'running',
  )
  expect(running).toHaveLength(1)
  const log = join(server!.dataFolder, 'server.log')
  await vi.waitFor(() => expect(readFileSync(log, 'utf8')).toContain('spans could not be sent'), { timeout: WITHIN_MS, interval: 200 })
})
