/** When the event stream of a system told first of an allocation of each job. */
import { get } from 'node:http'
import { untilSo } from './sides/side.js'

export class EventTimes {
  readonly #times = new Map<string, number>()
  #close = () => {}
  #rest = ''

  static follow(url: string): Promise<EventTimes> {
    const times = new EventTimes()
    return new Promise((resolve, reject) => {
      const asked = get(`${url}/v1/event/stream?topic=Allocation`, (response) => {
        response.setEncoding('utf8').on('data', (text: string) => times.#take(text))
        resolve(times)
      })
      asked.on('error', reject)
      times.#close = () => asked.destroy()
    })
  }

  of(jobId: string): number | undefined {
    return this.#times.get(jobId)
  }

  /** Resolves when so many jobs were told of, or when the time is over. */
  async whenSeen(count: number, withinMs: number): Promise<void> {
    const endMs = performance.now() + withinMs
    await untilSo('all are told of', () => this.#times.size >= count || performance.now() > endMs)
  }

  close(): void {
    this.#close()
  }

  #take(text: string): void {
    const atMs = performance.now()
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines)
      for (const [, jobId] of line.matchAll(/"JobID":"([^"]+)"/g)) if (!this.#times.has(jobId!)) this.#times.set(jobId!, atMs)
  }
}
