/** Every command, in the order of `drover --help`: the one table behind help, completion and docs/cli.md. */
import { fileURLToPath } from 'node:url'
import {
  allocationsCommand,
  type CommandModule,
  completionCommand,
  deploymentsCommand,
  evaluationsCommand,
  eventsCommand,
  execCommand,
  fsCommand,
  historyCommand,
  inspectCommand,
  jobsCommand,
  logsCommand,
  namespacesCommand,
  nodesCommand,
  planCommand,
  renderCommand,
  servicesCommand,
  statusCommand,
  validateCommand,
  whyCommand,
} from '../cli/index.js'

/** Only what the command needs is loaded: looking at a job must not wait for a database and a broker client. */
const LOADERS: Readonly<Record<string, () => Promise<CommandModule>>> = {
  dev: async () => (await import('./programs.js')).devCommand(fileURLToPath(new URL('./cli.js', import.meta.url))),
  server: async () => (await import('./programs.js')).serverCommand,
  agent: async () => (await import('./programs.js')).agentCommand,
  snapshot: async () => (await import('./state-commands.js')).snapshotCommand,
  fsck: async () => (await import('./state-commands.js')).fsckCommand,
  'nats-config': async () => (await import('./nats-config.js')).natsConfigCommand,
  status: async () => statusCommand,
  logs: async () => logsCommand,
  exec: async () => execCommand((await import('./exec-console.js')).createExecConsole()),
  why: async () => whyCommand,
  events: async () => eventsCommand,
  history: async () => historyCommand,
  inspect: async () => inspectCommand,
  fs: async () => fsCommand,
  jobs: async () => jobsCommand,
  nodes: async () => nodesCommand,
  allocations: async () => allocationsCommand,
  evaluations: async () => evaluationsCommand,
  deployments: async () => deploymentsCommand,
  services: async () => servicesCommand,
  namespaces: async () => namespacesCommand,
  validate: async () => validateCommand(await jobFiles()),
  render: async () => renderCommand(await jobFiles()),
  plan: async () => planCommand(await jobFiles()),
  completion: async () => completionCommand(loadAll),
}

export function loadAll(): Promise<readonly CommandModule[]> {
  return Promise.all(Object.values(LOADERS).map((load) => load()))
}

/** The command that is meant, or all of them where none is called so. */
export async function loadCommands(name: string): Promise<readonly CommandModule[]> {
  return Object.hasOwn(LOADERS, name) ? [await LOADERS[name]!()] : await loadAll()
}

async function jobFiles() {
  const { LocalJobFiles } = await import('./job-files.js')
  return new LocalJobFiles(process.cwd())
}
