/** What `drover server` does. */
import { InProcessBus } from '../adapters/in-process-bus/index.js'
import { SERVER_INBOX } from '../adapters/nats/accounts.js'
import { connectNats } from '../adapters/nats/index.js'
import { loadServerKeys } from '../adapters/node-key.js'
import { describeBroker } from '../agent/index.js'
import { describeHappenings, type Server, type SyncOutcome, situationOf } from '../controller/index.js'
import { type Bus, SOURCE_DEFAULT } from '../domain/index.js'
import { type RunningAgent, startAgent } from './agent.js'
import { agentConfigSchema } from './agent-config.js'
import { onlyNews, tell } from './child-channel.js'
import { natsOptions, readConfig } from './config.js'
import { startServer } from './server.js'
import { type ServerConfig, serverConfigSchema } from './server-config.js'
import { type StopAsked, whenStopAsked } from './stop-asked.js'

/** The first look at the repository is worth waiting for before saying that all is ready, but not for ever. */
const FIRST_SYNC_WITHIN_MS = 15_000

export async function runServer(path: string, adoptCluster?: string): Promise<number> {
  const config = readConfig(path, serverConfigSchema)
  const stopAsked = whenStopAsked()
  const bus: Bus =
    config.nats === undefined
      ? new InProcessBus()
      : await connectNats(natsOptions(config.nats, loadServerKeys(config.data_dir).current, SERVER_INBOX))
  try {
    return await serve(config, bus, stopAsked, adoptCluster)
  } finally {
    // An open connection would keep a server alive that could not start.
    await bus.close()
  }
}

async function serve(config: ServerConfig, bus: Bus, stopAsked: StopAsked, adoptCluster: string | undefined): Promise<number> {
  const firstSync = new FirstSync()
  const news = new Map<string, ReturnType<typeof onlyNews>>()
  const tellNews = (id: string) => {
    const known = news.get(id) ?? onlyNews()
    news.set(id, known)
    return known
  }
  // What is wrong with them is told before anything runs.
  const agentConfigs = config.local_agents.map((path) => readConfig(path, agentConfigSchema))
  const running = await startServer(
    config,
    bus,
    {
      onSync: (outcome) => {
        tellSync(outcome)
        if (outcome.sourceId === SOURCE_DEFAULT) firstSync.happened()
      },
      onBroker: (awayMs) => tell({ kind: 'note', text: `server: ${describeBroker(awayMs)}` }),
      onRemote: (id, problem) =>
        tell({
          kind: 'note',
          text: ofSource(id, problem === null ? 'the remote answers again' : `the remote cannot be fetched: ${problem}`),
        }),
      onSyncFailed: (id, problem) => tellNews(id)({ kind: 'note', text: ofSource(id, `the repository cannot be read: ${problem}`) }),
      onStop: (reason) => {
        process.stderr.write(`server stopped: ${reason}\n`)
        // What was decided and not written must not be let out by anything that still runs.
        process.exit(1)
      },
    },
    adoptCluster,
  )
  const agents: RunningAgent[] = []
  try {
    for (const agentConfig of agentConfigs) agents.push(await startAgent(agentConfig, bus))
  } catch (error) {
    for (const agent of agents) await agent.stop({ tasks: 'keep' })
    await running.stop()
    throw error
  }
  stopAsked.isStarted = true
  const stopped = new AbortController()
  void tellHappenings(running.server, stopped.signal)
  await Promise.race([firstSync.wait(FIRST_SYNC_WITHIN_MS), stopAsked.message])
  if (!stopAsked.isAsked) tell({ kind: 'ready', url: running.url })
  const { tasks } = await stopAsked.message
  stopped.abort()
  for (const agent of agents) await agent.stop({ tasks })
  await running.stop()
  return 0
}

/** From now on; one that has fallen too far behind goes on with what is newest. */
async function tellHappenings({ reader }: Server, signal: AbortSignal): Promise<void> {
  while (!signal.aborted)
    for await (const events of reader.events(Number.MAX_SAFE_INTEGER, signal))
      for (const text of describeHappenings(events)) tell({ kind: 'note', text })
}

/** The first goes without its name: most clusters have no other. */
function ofSource(id: string, text: string): string {
  return id === SOURCE_DEFAULT ? text : `${id}: ${text}`
}

/** A commit is told once, and again when something about it changes: what is held or frozen may stay so for a weekend. */
function tellSync({ sourceId, commit, registered, waiting, removed, frozen, held, ignored }: SyncOutcome): void {
  const situation = situationOf({ commit, held, frozen })
  if (registered + waiting + removed + ignored.length === 0 && situation === toldSituations.get(sourceId)) return
  toldSituations.set(sourceId, situation)
  const mistakes = frozen.flatMap((file) => file.mistakes.map(({ path, line, column, summary }) => ({ path, line, column, summary })))
  tell({
    kind: 'sync',
    source: sourceId === SOURCE_DEFAULT ? '' : sourceId,
    commit: commit.id,
    subject: commit.subject,
    registered,
    waiting,
    removed,
    frozenCount: frozen.length,
    mistakes: mistakes.slice(0, MISTAKES_TOLD_MAX),
    mistakeCount: mistakes.length,
    ignored,
    held: held === null ? null : `${held.reason}: ${held.remedy}`,
  })
}

/** By source. */
const toldSituations = new Map<string, string>()

/** Of one commit; all of them can be read over the API. */
const MISTAKES_TOLD_MAX = 20

/** A gate that opens once. */
class FirstSync {
  #open: () => void = () => {}
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve
  })

  happened(): void {
    this.#open()
  }

  async wait(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms)
    })
    await Promise.race([this.#opened, late])
    clearTimeout(timer)
  }
}
