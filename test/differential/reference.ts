/** A Nomad-compatible API somewhere else, that the same questions are put to. */
import { Agent, request } from 'node:http'

export interface Reply {
  readonly status: number
  readonly text: string
}

export class Reference {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 })

  /** @param address for example http://127.0.0.1:4646 */
  constructor(private readonly address: string) {}

  /** Status 0 where the connection ends without an answer. */
  ask(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<Reply> {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, this.address), { method, agent: this.#agent }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
        answer.on('error', reject)
      })
      sent.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ECONNRESET' ? resolve({ status: 0, text: 'no answer' }) : reject(error),
      )
      sent.end(text)
    })
  }

  /** What is there under this id is forgotten, with its history. */
  async purge(id: string): Promise<void> {
    await this.ask('DELETE', `/v1/job/${encodeURIComponent(id)}?purge=true`)
  }

  close(): void {
    this.#agent.destroy()
  }
}
