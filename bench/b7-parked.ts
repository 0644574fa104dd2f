/**
 * B7, from outside: ten thousand parked queries on a thousand jobs, of which one changes, and then all; five hundred followers of events, of whom some
 * never read. `bare` is Node's own server that holds as many requests open and answers all at once.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { jobspecText } from './jobspec-text.js'
import { type BenchOptions, type Line, measurement, quantile } from './measurement.js'
import { pssOf } from './processes.js'
import { ServerProcess } from './server-process.js'
import { untilSo } from './sides/side.js'
import type { WaitNews, WaitOrder } from './waiting-client.js'

const CHANGES = 20

export async function* parked({ quick }: BenchOptions): AsyncIterable<Line> {
  const [jobs, waiters] = quick ? [20, 200] : [1_000, 10_000]
  const followers = quick ? { count: 50, stalledCount: 5 } : { count: 500, stalledCount: 20 }
  const server = await ServerProcess.create()
  const port = Number(new URL(server.url).port)
  try {
    const texts = (generation: number, from = 0, to = jobs) =>
      Object.fromEntries(range(from, to).map((at) => [`jobs/job-${at}.nomad.hcl`, jobspecText(at, generation)]))
    server.repository.commit(texts(0))
    server.start()
    await untilSo('all jobs are there', async () => (await server.get<unknown[]>('/v1/jobs'))?.length === jobs)
    const paths = range(0, jobs).map((at) => `/v1/job/web-${at}`)
    await pause(quick ? 1_000 : 10_000)
    const before = server.pss
    const crowd = new Client()
    try {
      await crowd.begin({ kind: 'park', port, count: waiters, paths })
      const of = `parked=${waiters},jobs=${jobs}`
      yield measurement('B7', of, 'pss-a-waiter', 'bytes', [(server.pss - before) / waiters])
      const oneMs: number[] = []
      for (let change = 1; change <= CHANGES; change++) {
        const at = change % jobs
        oneMs.push(await crowd.afterwards(waiters / jobs, () => void server.repository.commit(texts(change, at, at + 1))))
      }
      for (const share of [0.5, 0.99])
        yield {
          ...measurement('B7', of, `commit-end-to-last-of-${waiters / jobs}-p${share * 100}`, 'ms', oneMs),
          value: quantile(oneMs, share),
        }
      const allMs = await crowd.afterwards(waiters, () => void server.repository.commit(texts(CHANGES + 1)))
      yield measurement('B7', of, 'commit-end-to-last-of-all', 'ms', [allMs])
      yield measurement('B7', of, 'missed', '1', [crowd.missed])
    } finally {
      crowd.end()
    }
    yield* followed(server, port, followers, (change) => texts(CHANGES + 1 + change, 0, 1))
  } finally {
    await server.remove()
  }
  yield* bare(waiters)
}

async function* followed(
  server: ServerProcess,
  port: number,
  { count, stalledCount }: { readonly count: number; readonly stalledCount: number },
  change: (number: number) => Readonly<Record<string, string>>,
): AsyncIterable<Line> {
  const before = server.pss
  const crowd = new Client()
  try {
    await crowd.begin({ kind: 'follow', port, count, stalledCount })
    const timesMs: number[] = []
    for (let number = 1; number <= CHANGES; number++)
      timesMs.push(
        await crowd.afterwards(
          count - stalledCount,
          () => void server.repository.commit(change(number)),
          `web-0:1.${CHANGES + 1 + number}`,
        ),
      )
    const of = `followers=${count},stalled=${stalledCount}`
    yield measurement('B7', of, 'commit-end-to-last-that-reads', 'ms', timesMs)
    yield measurement('B7', of, 'pss-a-follower', 'bytes', [(server.pss - before) / count])
  } finally {
    crowd.end()
  }
}

async function* bare(waiters: number): AsyncIterable<Line> {
  const server = fork(fileURLToPath(new URL('./holding-server.js', import.meta.url)))
  const crowd = new Client()
  try {
    const port = await new Promise<number>((resolve) => server.once('message', (message) => resolve(message as number)))
    const pss = () => pssOf([{ pid: String(server.pid), line: '' }])
    const before = pss()
    await crowd.begin({ kind: 'park', port, count: waiters, paths: ['/'] })
    yield { ...measurement('B7', `parked=${waiters}`, 'pss-a-waiter', 'bytes', [(pss() - before) / waiters]), side: 'bare' }
    const allMs = await crowd.afterwards(waiters, () => void server.send('release'))
    yield { ...measurement('B7', `parked=${waiters}`, 'release-to-last-of-all', 'ms', [allMs]), side: 'bare' }
  } finally {
    crowd.end()
    server.kill()
  }
}

class Client {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./waiting-client.js', import.meta.url)))
  missed = 0

  async begin(order: WaitOrder): Promise<void> {
    this.#child.send(order)
    await this.#heard('waiting')
  }

  /** @returns ms from the end of the act until so many answers have come, or so many followers have seen an event with the text */
  async afterwards(count: number, act: () => void, text = ''): Promise<number> {
    this.#child.send({ kind: 'await', count, text } satisfies WaitOrder)
    const heard = this.#heard('came').then(() => performance.now())
    act()
    const endedMs = performance.now()
    return Math.max(0, (await heard) - endedMs)
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }

  #heard(kind: WaitNews['kind']): Promise<void> {
    return new Promise((resolve, reject) => {
      const onEnd = () => reject(new Error('the clients have ended'))
      this.#child.once('exit', onEnd)
      const onNews = (news: WaitNews) => {
        if (news.kind !== kind) return
        this.#child.off('message', onNews).off('exit', onEnd)
        if (news.kind === 'came') this.missed = news.missed
        resolve()
      }
      this.#child.on('message', onNews)
    })
  }
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, at) => from + at)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
