/** Which stories can be told without processes: whose tasks are all scripts of the simulated shell, with nothing around them that is a host's. */
import { InProcessJobReader } from '../../../src/adapters/hcl-syntax/index.js'
import type { JobFileTree } from '../../../src/controller/index.js'
import type { Step, Story } from '../story.js'
import { NeedsProcesses, parseScript } from './script.js'

interface SeenTask {
  readonly Name: string
  readonly Driver: string
  readonly User?: string
  readonly Config?: Readonly<Record<string, unknown>> | null
  readonly Artifacts?: readonly object[] | null
  readonly VolumeMounts?: readonly object[] | null
  readonly Templates?: readonly { readonly ChangeMode?: string }[] | null
}

interface SeenGroup {
  readonly Tasks: readonly SeenTask[] | null
  readonly Networks?: readonly { readonly Mode?: string }[] | null
}

/** @returns what it needs processes for, in words; undefined where it needs none */
export async function whyReal(story: Story): Promise<string | undefined> {
  for (const node of story.cluster.nodes) if (node.exec === true || node.docker === true) return `${node.name} isolates its tasks`
  const reader = new InProcessJobReader()
  for (const lines of Object.values(story.jobs)) {
    const outcome = await reader.read(PATH, treeOf(lines.join('\n').replace(/@\w+@/g, '1')), {})
    // What cannot be read, or asks for what nobody would carry out, is refused, by simulated hosts and real ones alike.
    if (outcome.kind !== 'job') continue
    for (const group of outcome.job.TaskGroups as unknown as readonly SeenGroup[]) {
      const reason = whyGroup(group)
      if (reason !== undefined) return reason
    }
  }
  return story.steps.map(whyStep).find((reason) => reason !== undefined)
}

const PATH = 'jobs/job.nomad.hcl'

/** A repository of one file. */
function treeOf(text: string): JobFileTree {
  return { has: (path) => path === PATH, list: () => [PATH], blobOf: () => 'one', read: async () => ({ text }) }
}

function whyGroup({ Tasks, Networks }: SeenGroup): string | undefined {
  const own = (Networks ?? []).find(({ Mode }) => Mode !== undefined && Mode !== '' && Mode !== 'host')
  if (own !== undefined) return `a group has a network of its own (${own.Mode})`
  for (const task of Tasks ?? []) {
    const reason = whyTask(task)
    if (reason !== undefined) return `task ${task.Name}: ${reason}`
  }
  return undefined
}

function whyTask({ Driver, User, Config, Artifacts, VolumeMounts, Templates }: SeenTask): string | undefined {
  // No host has another driver: it is not placed anywhere.
  if (Driver !== 'raw_exec') return undefined
  if ((User ?? '') !== '') return `it runs as ${User}`
  if ((Artifacts ?? []).length > 0) return 'it fetches artifacts'
  if ((VolumeMounts ?? []).length > 0) return 'it has volumes'
  if ((Templates ?? []).some(({ ChangeMode }) => ChangeMode === 'script')) return 'a script follows its templates'
  const { command, args } = Config ?? {}
  if (command !== '/bin/sh') return /no.such/.test(String(command)) ? undefined : `it runs ${String(command)}`
  if (!Array.isArray(args) || args.length < 2 || args[0] !== '-c') return `it runs ${String(command)}`
  try {
    // What stands for a value of the task is as good as any word.
    parseScript(String(args[1]).replace(/\$\{[^}]*[^}\w][^}]*\}/g, 'x'))
    return undefined
  } catch (error) {
    if (error instanceof NeedsProcesses) return error.message
    throw error
  }
}

function whyStep(step: Step): string | undefined {
  if (step.do !== 'observe') return undefined
  const what = step.what as Readonly<Record<string, unknown>>
  return 'tree' in what || 'log_files' in what ? 'it looks at modes, owners and sizes of files' : undefined
}
