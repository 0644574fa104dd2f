/** What an agent needs of a host that has no disk, no network and no users: for worlds in which only the agent itself is real. */
import { noFiles } from '../src/adapters/memory/allocation-directories.js'
import { memoryHookPorts } from '../src/adapters/memory/hook-ports.js'
import { AGENT_DEFAULTS, type AgentDeps, refuseExpressions } from '../src/agent/index.js'
import { OrchestratorError } from '../src/domain/index.js'
import { fakeSigner, fakeVerify } from './fake-keys.js'

const DIRECTORIES = { task: '/t', local: '/t/local', secrets: '/t/secrets', shared: '/t/alloc', logs: '/t/alloc/logs' }

const absent = async () => {
  throw new OrchestratorError('NO_SUCH_FILE', 'there are no files here')
}

export function hollowHost(publicKey: string) {
  return {
    directories: {
      inherit: async () => {},
      create: async () => {},
      of: () => DIRECTORIES,
      forgetSecrets: async () => {},
      remove: async () => {},
      list: async () => [],
    },
    files: noFiles,
    diskShare: async () => ({ usedPercent: 0, inodesUsedPercent: 0 }),
    hostUsage: absent,
    diskProblem: () => null,
    signer: fakeSigner(publicKey),
    verify: fakeVerify,
    serverKeys: [],
    templates: refuseExpressions,
    hookPorts: memoryHookPorts(),
    options: { ...AGENT_DEFAULTS, region: 'global' },
  } satisfies Partial<AgentDeps>
}
