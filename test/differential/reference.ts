/** A Nomad-compatible API somewhere else, that the same questions are put to. */
import { Agent, request } from 'node:http'

export interface Reply {
  readonly status: number
  readonly text: string
}

/** Answers the questions of a case. */
export interface Reference {
  ask(method: Method, path: string, body?: unknown): Promise<Reply>
  /** What is there under this id is forgotten, with its history. */
  purge(id: string): Promise<void>
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

/** In place of an answer that never came. */
export const NO_ANSWER = 'no answer'

export class NomadReference implements Reference {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 })

  /** @param address for example http://127.0.0.1:4646 */
  constructor(private readonly address: string) {}

  /** Status 0 where the connection ends without an answer. */
  ask(method: Method, path: string, body?: unknown): Promise<Reply> {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, this.address), { method, agent: this.#agent }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
        answer.on('error', reject)
      })
      sent.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ECONNRESET' ? resolve({ status: 0, text: NO_ANSWER }) : reject(error),
      )
      sent.end(text)
    })
  }

  async purge(id: string): Promise<void> {
    await this.ask('DELETE', `/v1/job/${encodeURIComponent(id)}?purge=true`)
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** Passes questions on, and keeps what was answered. */
export class RecordingReference implements Reference {
  readonly replies: Reply[] = []

  constructor(private readonly reference: Reference) {}

  async ask(method: Method, path: string, body?: unknown): Promise<Reply> {
    const reply = await this.reference.ask(method, path, body)
    this.replies.push(reply)
    return reply
  }

  purge(id: string): Promise<void> {
    return this.reference.purge(id)
  }
}

/** Answers as it was answered once; asked more often than that, as it was answered last. */
export class RecordedReference implements Reference {
  #asked = 0

  constructor(private readonly replies: readonly Reply[]) {}

  async ask(): Promise<Reply> {
    const reply = this.replies[Math.min(this.#asked, this.replies.length - 1)]
    this.#asked++
    if (reply === undefined) throw new Error('nothing was recorded')
    return reply
  }

  async purge(): Promise<void> {}
}
