/** Every command, in the order of `drover --help`: the one table behind help, completion and docs/cli.md. */
import { fileURLToPath } from 'node:url'
import type { CommandModule } from '../cli/command.js'
import { readVersion } from './version.js'

/** Only what the command needs is loaded: looking at a job must not wait for a database and a broker client. */
const LOADERS: Readonly<Record<string, () => Promise<CommandModule>>> = {
  dev: async () => (await import('./programs.js')).devCommand(fileURLToPath(new URL('./cli.js', import.meta.url))),
  server: async () => (await import('./programs.js')).serverCommand,
  agent: async () => (await import('./programs.js')).agentCommand,
  snapshot: async () => (await import('./state-commands.js')).snapshotCommand,
  fsck: async () => (await import('./state-commands.js')).fsckCommand,
  'nats-config': async () => (await import('./nats-config.js')).natsConfigCommand,
  status: async () => (await import('../cli/status.js')).statusCommand,
  logs: async () => (await import('../cli/logs.js')).logsCommand,
  exec: async () => (await import('../cli/exec.js')).execCommand((await import('./exec-console.js')).createExecConsole()),
  why: async () => (await import('../cli/why.js')).whyCommand,
  events: async () => (await import('../cli/events.js')).eventsCommand,
  history: async () => (await import('../cli/history.js')).historyCommand,
  blame: async () => (await import('../cli/blame.js')).blameCommand,
  trace: async () => (await import('../cli/trace.js')).traceCommand,
  drift: async () => (await import('../cli/drift.js')).driftCommand,
  audit: async () => (await import('../cli/audit.js')).auditCommand,
  inspect: async () => (await import('../cli/inspect.js')).inspectCommand,
  fs: async () => (await import('../cli/fs.js')).fsCommand,
  jobs: async () => (await import('../cli/lists/jobs.js')).jobsCommand,
  nodes: async () => (await import('../cli/lists/nodes.js')).nodesCommand,
  allocations: async () => (await import('../cli/lists/allocations.js')).allocationsCommand,
  evaluations: async () => (await import('../cli/lists/evaluations.js')).evaluationsCommand,
  deployments: async () => (await import('../cli/lists/deployments.js')).deploymentsCommand,
  services: async () => (await import('../cli/lists/services.js')).servicesCommand,
  namespaces: async () => (await import('../cli/lists/namespaces.js')).namespacesCommand,
  validate: async () => (await import('../cli/job-files.js')).validateCommand(jobFiles),
  render: async () => (await import('../cli/job-files.js')).renderCommand(jobFiles),
  plan: async () => (await import('../cli/plan.js')).planCommand(jobFiles),
  secret: async () => (await import('../cli/secret.js')).secretCommand(secrets),
  dispatch: async () => (await import('../cli/dispatch.js')).dispatchCommand(await actCommits()),
  force: async () => (await import('../cli/force.js')).forceCommand(await actCommits()),
  version: async () => (await import('../cli/version.js')).versionCommand(readVersion()),
  completion: async () => (await import('../cli/completion.js')).completionCommand(loadAll),
}

export function loadAll(): Promise<readonly CommandModule[]> {
  return Promise.all(Object.values(LOADERS).map((load) => load()))
}

/** The command that is meant, none where none is needed, or all of them where none is called so. */
export async function loadCommands(name: string): Promise<readonly CommandModule[]> {
  if (name === '--version' || name === '-V') return []
  return Object.hasOwn(LOADERS, name) ? [await LOADERS[name]!()] : await loadAll()
}

async function actCommits() {
  const { LocalActCommits } = await import('./act-commits.js')
  return new LocalActCommits(process.cwd())
}

async function jobFiles() {
  const { LocalJobFiles } = await import('./job-files.js')
  return new LocalJobFiles(process.cwd())
}

async function secrets(keyFile: string | undefined) {
  const [{ LocalSecrets }, { defaultKeyFile }] = await Promise.all([import('./secrets.js'), import('./key-file.js')])
  return new LocalSecrets(process.cwd(), keyFile ?? defaultKeyFile(process.env))
}
