/** A Nomad, of its own binary or at an address: jobs are handed to its API, as `nomad job run` does, with the same texts. */
import { getJson, type JobText, runningIds, type Side, type SidePrograms, untilSo } from './side.js'

/** Requests under way at the same time. */
const SUBMIT_AT_ONCE = 16

export class NomadSide implements Side {
  readonly name: string
  readonly url: string
  readonly programs: SidePrograms | undefined
  readonly #remove: () => Promise<void>

  constructor(name: string, url: string, own?: { readonly programs: SidePrograms; readonly remove: () => Promise<void> }) {
    this.name = name
    this.url = url
    this.programs = own?.programs
    this.#remove = own?.remove ?? (async () => {})
  }

  async prepare(jobs: readonly JobText[]): Promise<() => Promise<void>> {
    const bodies: string[] = []
    for (const { text } of jobs) {
      const Job: unknown = await this.#send('POST', '/v1/jobs/parse', { JobHCL: text, Canonicalize: false })
      bodies.push(JSON.stringify({ Job }))
    }
    return () => this.submit(bodies)
  }

  /** @param bodies of `PUT /v1/jobs` */
  async submit(bodies: readonly string[]): Promise<void> {
    const left = [...bodies]
    const work = async () => {
      for (let body = left.shift(); body !== undefined; body = left.shift()) await this.#sendText('PUT', '/v1/jobs', body)
    }
    await Promise.all(Array.from({ length: SUBMIT_AT_ONCE }, work))
  }

  async clear(): Promise<void> {
    const jobs = await getJson<readonly { readonly ID: string }[]>(`${this.url}/v1/jobs`)
    for (const { ID } of jobs) await this.#send('DELETE', `/v1/job/${ID}?purge=true`)
    await untilSo('all jobs are gone', async () => (await runningIds(this)).length === 0)
    await this.#send('PUT', '/v1/system/gc')
  }

  async remove(): Promise<void> {
    // What was there before keeps nothing of this.
    if (this.programs === undefined) await this.clear()
    await this.#remove()
  }

  #send(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.#sendText(method, path, body === undefined ? undefined : JSON.stringify(body))
  }

  async #sendText(method: string, path: string, body: string | undefined): Promise<unknown> {
    const response = await fetch(this.url + path, { method, ...(body === undefined ? {} : { body }) })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }
}
