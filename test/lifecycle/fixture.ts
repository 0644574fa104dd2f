/** The small web server that stories fetch from and check: what is not named answers 404. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FixtureAnswer, StoryFixture } from './cluster.js'

export class Fixture implements StoryFixture {
  readonly #routes = new Map<string, FixtureAnswer>()
  readonly #server = createServer((request, response) => this.#answer(request, response))

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '0.0.0.0', resolve))
  }

  add(routes: Readonly<Record<string, FixtureAnswer>>): void {
    for (const [path, answer] of Object.entries(routes)) this.#routes.set(path, answer)
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const answer = this.#routes.get((request.url ?? '').replace(/\?.*$/s, '')) ?? { status: 404 }
    const send = () => {
      response.writeHead(answer.status ?? 200, answer.location === undefined ? {} : { location: answer.location })
      response.end(answer.base64 === undefined ? (answer.body ?? '') : Buffer.from(answer.base64, 'base64'))
    }
    if (answer.delay === undefined) send()
    else setTimeout(send, answer.delay * 1000)
  }
}
