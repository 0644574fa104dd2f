/** The broker that `drover dev` has started, kept alive: when it ends it is started again at the same address, so that everyone finds it. */
import { type NatsServer, startNatsServer } from '../adapters/nats/server-process.js'
import { explainError } from '../domain/index.js'

export interface OwnBrokerOptions {
  readonly binary: string
  readonly folder: string
  readonly say: (line: string) => void
}

const BACK_OFF_MS_MIN = 100
const BACK_OFF_MS_MAX = 5_000

export class OwnBroker {
  readonly #options: OwnBrokerOptions
  #server: NatsServer
  readonly #keeping: Promise<void>
  #isStopping = false
  #wake = () => {}

  static async start(options: OwnBrokerOptions): Promise<OwnBroker> {
    const server = await startNatsServer(options)
    options.say(`nats: ${server.wasRunning ? 'found running' : 'started'} ${options.binary} at ${server.url}`)
    return new OwnBroker(options, server)
  }

  private constructor(options: OwnBrokerOptions, server: NatsServer) {
    this.#options = options
    this.#server = server
    this.#keeping = this.#keepAlive()
  }

  get url(): string {
    return this.#server.url
  }

  /** What whoever connects has to show. */
  get tokenFile(): string {
    return this.#server.tokenFile
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#wake()
    await this.#server.stop()
    // One that was just being started.
    await this.#keeping
    await this.#server.stop()
  }

  async #keepAlive(): Promise<void> {
    for (;;) {
      await this.#server.whenEnded()
      if (this.#isStopping) return
      this.#options.say('nats: nats-server ended, starting it again')
      await this.#restart()
    }
  }

  /** Its port may be held for a moment by what is left of it. */
  async #restart(): Promise<void> {
    const { say, ...options } = this.#options
    const port = Number(new URL(this.#server.url).port)
    for (let failures = 0; !this.#isStopping; failures++) {
      try {
        this.#server = await startNatsServer({ ...options, port })
        return say(`nats: nats-server is back at ${this.#server.url}`)
      } catch (error) {
        if (failures === 0) say(`nats: ${explainError(error)}; it is tried again`)
        await this.#pause(Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** failures))
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
