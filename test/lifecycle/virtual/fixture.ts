/** The web server that stories check, without a socket. */
import type { CheckAnswer, HookPorts } from '../../../src/agent/index.js'
import type { FixtureAnswer, StoryFixture } from '../cluster.js'

const PORT = 18_080
const HTTP_OK_MAX = 399

export class VirtualFixture implements StoryFixture {
  readonly port = PORT
  readonly #routes = new Map<string, FixtureAnswer>()

  add(routes: Readonly<Record<string, FixtureAnswer>>): void {
    for (const [path, answer] of Object.entries(routes)) this.#routes.set(path, answer)
  }

  get checks(): HookPorts['checks'] {
    return {
      http: async ({ url, method }) => this.#answer(new URL(url), method),
      tcp: async ({ host, port }) =>
        port === this.port
          ? { isPassing: true, output: 'nomad: tcp ok', statusCode: 0 }
          : failing(`dial tcp ${host}:${port}: connect: connection refused`),
      grpc: async ({ host, port }) => failing(`dial tcp ${host}:${port}: connect: connection refused`),
    }
  }

  #answer(url: URL, method: string): CheckAnswer {
    if (Number(url.port) !== this.port) return failing(`nomad: ${method} ${url.href}: connect ECONNREFUSED ${url.host}`)
    const { status = 200, body = '' } = this.#routes.get(url.pathname) ?? { status: 404 }
    if (status >= 200 && status <= HTTP_OK_MAX) return { isPassing: true, output: 'nomad: http ok', statusCode: status }
    return failing(body === '' ? `nomad: ${status}` : body, status)
  }
}

function failing(output: string, statusCode = 0): CheckAnswer {
  return { isPassing: false, output, statusCode }
}
