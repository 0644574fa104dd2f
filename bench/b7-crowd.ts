/**
 * B7: many clients that wait. Parked queries on a hundred jobs that all change in one commit, event streams that read everything again,
 * large bodies: how long until all are answered, how long anybody else waits, and the longest pause of the server.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { Agent, get, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { parked } from './b7-parked.js'
import { jobspecText } from './jobspec-text.js'
import { type Bench, type BenchOptions, type Line, type Measurement, measurement, quantile } from './measurement.js'
import { PauseMeter } from './pause-meter.js'
import { BenchRepository, type BenchServer, startBenchServer } from './repository.js'
import { peerNotGiven } from './sides/peer.js'

const JOBS = 100

type Order =
  /** Asks for something small again and again until it is told otherwise. */
  | { readonly kind: 'probe'; readonly port: number }
  | { readonly kind: 'probed' }
  | { readonly kind: 'park'; readonly port: number; readonly count: number }
  | { readonly kind: 'stream'; readonly port: number; readonly count: number }
  | { readonly kind: 'validate'; readonly port: number; readonly groups: number; readonly count: number }

/** `ready`: all wait. `done`: all are answered. `probes`: how long others waited for a small answer. */
type News =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly answered: number }
  | { readonly kind: 'probes'; readonly probesMs: readonly number[] }

export const b7Crowd: Bench = {
  name: 'B7',
  summary: 'parked queries, event streams and large bodies: who waits for whom, and the longest pause',
  async *run(options: BenchOptions): AsyncIterable<Line> {
    yield* parked(options)
    yield peerNotGiven('B7', 'no peer: what a peer does of this is not measured here')
    const repository = await BenchRepository.create()
    for (let at = 0; at < JOBS; at++) repository.write(`jobs/job-${at}.nomad.hcl`, jobspecText(at))
    await repository.commit('all')
    const server = await startBenchServer({ repository: repository.folder })
    // Others are a process of their own: a crowd that is busy with its answers must not slow them down.
    const [crowd, others] = [startClient(), startClient()]
    try {
      yield* measureCrowds(repository, server, { crowd, others }, options.quick)
    } finally {
      crowd.kill()
      others.kill()
      await server.stop()
      repository.remove()
    }
  },
}

function startClient(): ChildProcess {
  return fork(fileURLToPath(import.meta.url), ['--client'], { execArgv: process.execArgv })
}

async function* measureCrowds(
  repository: BenchRepository,
  server: BenchServer,
  { crowd, others }: { readonly crowd: ChildProcess; readonly others: ChildProcess },
  quick: boolean,
): AsyncIterable<Measurement> {
  const { port } = server
  const meter = new PauseMeter()
  const measured = async (order: Order, afterReady: () => Promise<void>) => {
    await tell(crowd, order, 'ready')
    await tell(others, { kind: 'probe', port }, 'ready')
    meter.take()
    const began = performance.now()
    const done = tell(crowd, undefined, 'done')
    await afterReady()
    const { answered } = await done
    const tookMs = performance.now() - began
    const pause = meter.take()
    const { probesMs } = await tell(others, { kind: 'probed' }, 'probes')
    return { tookMs, pause, answered, probesMs }
  }
  const parked = quick ? 500 : 2_000
  const streams = quick ? 50 : 200
  let generation = 0
  const cases: readonly (readonly [string, Order, () => Promise<void>])[] = [
    [
      `parked=${parked}`,
      { kind: 'park', port, count: parked },
      async () => {
        generation++
        for (let at = 0; at < JOBS; at++) repository.write(`jobs/job-${at}.nomad.hcl`, jobspecText(at, generation))
        await repository.commit('next')
        server.server.server.sources.lookAt('default')
      },
    ],
    [`event-streams=${streams}`, { kind: 'stream', port, count: streams }, nothing],
    ['validate-20000-groups', { kind: 'validate', port, groups: 20_000, count: 3 }, nothing],
  ]
  for (const [name, order, afterReady] of cases) {
    const { tookMs, pause, answered, probesMs } = await measured(order, afterReady)
    yield measurement('B7', name, 'answered', '1', [answered])
    yield measurement('B7', name, 'all-answered', 'ms', [tookMs])
    yield measurement('B7', name, 'others-wait-p99', 'ms', [quantile(probesMs, 0.99)])
    yield measurement('B7', name, 'longest-pause', 'ms', [pause.clockMs])
    yield measurement('B7', name, 'longest-pause-processor', 'ms', [pause.processorMs])
  }
  meter.stop()
  yield measurement('B7', 'server', 'rss', 'bytes', [process.memoryUsage().rss])
}

async function nothing(): Promise<void> {}

function tell<Kind extends News['kind']>(
  client: ChildProcess,
  order: Order | undefined,
  awaited: Kind,
): Promise<Extract<News, { kind: Kind }>> {
  return new Promise((resolve) => {
    const onNews = (news: News) => {
      if (news.kind !== awaited) return
      client.off('message', onNews)
      resolve(news as Extract<News, { kind: Kind }>)
    }
    client.on('message', onNews)
    if (order !== undefined) client.send(order)
  })
}

const everybody = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY })

function fetchText(port: number, path: string): Promise<{ readonly body: string; readonly index: string }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: everybody }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve({ body, index: String(response.headers['x-nomad-index'] ?? '') }))
    }).on('error', reject)
  })
}

let isProbing = false

async function probe(port: number): Promise<void> {
  const probesMs: number[] = []
  isProbing = true
  while (isProbing) {
    const began = performance.now()
    await fetchText(port, '/v1/status/leader')
    probesMs.push(performance.now() - began)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  tellParent({ kind: 'probes', probesMs })
}

function tellParent(news: News): void {
  process.send!(news)
}

/** The clients' own process. */
async function serveOrder(order: Order): Promise<void> {
  if (order.kind === 'probed') {
    isProbing = false
    return
  }
  if (order.kind === 'probe') {
    void probe(order.port)
    return tellParent({ kind: 'ready' })
  }
  const answers = await beginOrder(order)
  tellParent({ kind: 'ready' })
  tellParent({ kind: 'done', answered: (await Promise.all(answers())).filter(Boolean).length })
}

/** What waits already, or begins when the answer is called. */
async function beginOrder(order: Extract<Order, { readonly count: number }>): Promise<() => readonly Promise<boolean>[]> {
  const times = <T>(work: (at: number) => T): readonly T[] => Array.from({ length: order.count }, (_, at) => work(at))
  switch (order.kind) {
    case 'park': {
      const waiting: Promise<boolean>[] = []
      for (let at = 0; at < order.count; at++) {
        const path = `/v1/job/web-${at % JOBS}`
        const { index } = await fetchText(order.port, path)
        waiting.push(fetchText(order.port, `${path}?index=${index}&wait=120s`).then((answer) => Number(answer.index) > Number(index)))
      }
      await new Promise((resolve) => setTimeout(resolve, 500))
      return () => waiting
    }
    case 'stream':
      return () => times(() => followEvents(order.port))
    case 'validate': {
      const groups = Array.from({ length: order.groups }, (_, at) => ({
        Name: `group-${at}`,
        Tasks: [{ Name: 'task', Driver: 'raw_exec', Config: { command: '/bin/true', args: ['x'.repeat(400)] } }],
      }))
      const body = JSON.stringify({ Job: { ID: 'many', TaskGroups: groups } })
      return () => times(() => post(order.port, '/v1/validate/job', body))
    }
  }
}

/** Until the newest of what was there at first has come. */
async function followEvents(port: number): Promise<boolean> {
  const { index } = await fetchText(port, '/v1/jobs')
  return new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path: '/v1/event/stream?index=1', agent: everybody }, (response) => {
      let rest = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        rest += chunk
        const lines = rest.split('\n')
        rest = lines.pop()!
        const newest = lines.findLast((line) => line.includes('"Index"'))
        if (newest === undefined || (JSON.parse(newest) as { Index: number }).Index < Number(index)) return
        resolve(true)
        asked.destroy()
      })
    })
    asked.on('error', reject)
  })
}

function post(port: number, path: string, body: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', agent: everybody }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode === 200))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

if (process.argv.includes('--client')) process.on('message', (order: Order) => void serveOrder(order))
