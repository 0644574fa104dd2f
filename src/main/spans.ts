/** Spans of commits, where somebody wants them. */
import { systemClock } from '../adapters/clock.js'
import type { Secret } from '../adapters/secret.js'
import { CommitSpans, type Server } from '../controller/index.js'
import type { Logger } from '../domain/index.js'
import type { ServerConfig } from './server-config.js'
import { readVersion } from './version.js'

/** Looking costs as much as there are versions. */
const LOOK_EVERY_MS = 1_000

export interface SpansDeps {
  readonly config: NonNullable<ServerConfig['traces']>
  /** Of this server. */
  readonly name: string
  readonly server: Pick<Server, 'leader' | 'reader' | 'waiting'>
  readonly logger: Logger
}

/** @returns the way to stop, which sends what is left */
export async function startSpans({ config, name, server, logger }: SpansDeps): Promise<() => Promise<void>> {
  const { OtlpSpans } = await import('../adapters/telemetry/otlp-spans.js')
  const spans = new OtlpSpans({ url: config.url, token: tokenOf(config), name, version: readVersion(), logger })
  const { leader, reader } = server
  const commits = new CommitSpans(leader.state, (view) => server.waiting(view), systemClock.wallMs())
  const stopped = new AbortController()
  const look = () => {
    const trees = commits.take(systemClock.wallMs())
    // Nobody sees what a crash could take back.
    if (trees.length === 0) return
    leader.release(leader.state.index, () => {
      for (const tree of trees) spans.send(tree)
    })
  }
  let cancel = () => {}
  const again = () => {
    cancel = systemClock.after(LOOK_EVERY_MS, () => {
      look()
      again()
    })
  }
  again()
  void (async () => {
    for (let from = 0; !stopped.signal.aborted; from = Number.MAX_SAFE_INTEGER)
      for await (const events of reader.events(from, stopped.signal)) commits.hear(events)
  })()
  return async () => {
    stopped.abort()
    cancel()
    look()
    await spans.close()
  }
}

function tokenOf({ token_file, token_env }: SpansDeps['config']): Secret | undefined {
  if (token_file !== undefined) return { kind: 'file', path: token_file }
  return token_env === undefined ? undefined : { kind: 'environment', name: token_env }
}
