/** The long-running programs as commands: `dev`, `server`, `agent`. What they do is loaded once they are to do it. */
import type { CommandModule, Io } from '../cli/command.js'
import type { DevFlags } from './dev.js'
import { failingWith, keepToOwner } from './failing-with.js'
import { keepHeapSmall } from './garbage-collector.js'

const LONG_RUNNING_EXITS = {
  0: 'stopped as asked',
  1: 'could not start: flags, configuration, port, lock, repository',
  2: 'data damaged',
}

export function devCommand(cli: string): CommandModule {
  return {
    name: 'dev',
    usage: '[options]',
    summary: 'run a whole cluster on this machine, on the jobs/ and agents/ of a repository',
    exitCodes: LONG_RUNNING_EXITS,
    define(command, io, finish) {
      command
        .option(
          '--repo <repository>',
          'git repository to follow: a folder, or https://…, ssh://…, file:///… (a token is read from DROVER_GIT_TOKEN)',
          '.',
        )
        .option('--ref <ref>', 'HEAD, a full ref such as refs/heads/main or refs/tags/v*, or a whole commit id', 'HEAD')
        .option('--versions <range>', 'with --ref refs/tags/v*: follow the highest version in this range, such as ">=1.2 <2"')
        .option('--overlay <name>', 'read files of the repository that carry this name too, as in web.prod.vars.hcl')
        .option('--sources <file>', 'YAML of further sources by name, as sources in the configuration of a server')
        .option('--http <address>', 'where the HTTP API listens; port 0 takes a free one', '127.0.0.1:4646')
        .option('--data-dir <folder>', 'where state is kept (default: .drover in the repository, or here where that is a remote)')
        .option('--nats <url>', 'a broker that runs already (default: an installed nats-server, else none)')
        .option('--agents <count>', 'how many agents to run', '1')
        .option('--keep-tasks', 'leave the tasks running on Ctrl-C', false)
        .action((flags: DevFlags) => finish(dev(cli, flags, io)))
    },
  }
}

async function dev(cli: string, flags: DevFlags, io: Io): Promise<number> {
  keepToOwner()
  const { readDevFlags, runDev } = await import('./dev.js')
  const output = { say: (line: string) => io.out(`${line}\n`), fail: (line: string) => io.err(`${line}\n`) }
  return runDev(cli, readDevFlags(flags), output, (handler) => {
    process.on('SIGINT', handler)
    process.on('SIGTERM', handler)
  })
}

export const serverCommand: CommandModule = {
  name: 'server',
  usage: '--config FILE',
  summary: 'run a server: follow a repository, schedule, answer the HTTP API',
  exitCodes: LONG_RUNNING_EXITS,
  define(command, io, finish) {
    command
      .requiredOption('--config <file>', 'YAML, see docs/configuration.md')
      .option('--adopt-cluster <id>', 'begin again as this cluster, whose state is lost, and take over what its hosts run')
      .action(({ config, adoptCluster }: { config: string; adoptCluster?: string }) =>
        finish(failingWith(io.err, async () => (await import('./run-server.js')).runServer(config, adoptCluster))),
      )
  },
}

async function runAgent(config: string): Promise<number> {
  keepHeapSmall()
  return (await import('./run-agent.js')).runAgent(config)
}

export const agentCommand: CommandModule = {
  name: 'agent',
  usage: '--config FILE',
  summary: 'run an agent: run what the server places on this host',
  exitCodes: LONG_RUNNING_EXITS,
  define(command, io, finish) {
    command
      .requiredOption('--config <file>', 'YAML, see docs/configuration.md')
      .option('--check', 'only say what works on this host and what is missing; exit code 1 when something does not')
      .action(({ config, check }: { config: string; check?: true }) =>
        finish(
          failingWith(io.err, async () =>
            check === true ? (await import('./host-check.js')).checkHost(config, io.out) : runAgent(config),
          ),
        ),
      )
  },
}
