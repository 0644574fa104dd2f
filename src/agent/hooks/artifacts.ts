/** Downloads into the task's folder. What succeeded is not fetched again when another has to be. */
import { explainError, type TaskArtifact } from '../../domain/index.js'
import { interpolate, type TaskEnvironment } from '../environment.js'
import { type HookContext, HookFailure, type HookRow, type TaskHook } from './hook.js'

const PARALLEL = 3

class Artifacts implements TaskHook {
  readonly #context: HookContext
  readonly #done = new Set<number>()

  constructor(context: HookContext) {
    this.#context = context
  }

  async prestart(signal: AbortSignal): Promise<void> {
    const { task, post, event } = this.#context
    post({ kind: 'note', event: event('Downloading Artifacts') })
    const waiting = (task().Artifacts ?? []).map((artifact, at) => ({ artifact, at })).filter(({ at }) => !this.#done.has(at))
    const failures: HookFailure[] = []
    const fetchNext = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const failure = await this.#fetch(next.artifact, next.at, signal)
        if (failure !== undefined) failures.push(failure)
      }
    }
    await Promise.all(Array.from({ length: PARALLEL }, fetchNext))
    const [failure] = failures
    if (failure !== undefined) throw failure
  }

  async #fetch(artifact: TaskArtifact, at: number, signal: AbortSignal): Promise<HookFailure | undefined> {
    const { ports, directories, task, environment, hostPath, event } = this.#context
    const filled = { ...fillIn(artifact, environment()), RelativeDest: hostPath(artifact.RelativeDest) }
    try {
      await ports.artifacts.download({ artifact: filled, taskFolder: directories.task, owner: task().User, signal })
      this.#done.add(at)
      return undefined
    } catch (error) {
      const text = `failed to download artifact ${JSON.stringify(filled.GetterSource)}: ${explainError(error)}`
      return new HookFailure(event('Failed Artifact Download', { fact: 'download_error', text }), true)
    }
  }
}

function fillIn(artifact: TaskArtifact, environment: TaskEnvironment): TaskArtifact {
  const fill = (text: string) => interpolate(text, environment)
  const fillAll = (values: Readonly<Record<string, string>> | null) =>
    values === null ? null : Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fill(value)]))
  return {
    ...artifact,
    GetterSource: fill(artifact.GetterSource),
    GetterOptions: fillAll(artifact.GetterOptions),
    GetterHeaders: fillAll(artifact.GetterHeaders),
  }
}

export const ARTIFACTS: HookRow = {
  name: 'artifacts',
  runs: 'once',
  appliesTo: (task) => (task.Artifacts ?? []).length > 0,
  create: (context) => new Artifacts(context),
}
