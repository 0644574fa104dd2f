/** For simulated hosts: files are only told of, downloads and checks succeed. */
import type { HookPorts, OwnNetwork } from '../../agent/index.js'

export function memoryHookPorts(files: Map<string, Uint8Array> = new Map()): HookPorts {
  return {
    files: {
      async write({ root, path, content }) {
        const before = files.get(`${root}/${path}`)
        files.set(`${root}/${path}`, content)
        return before === undefined || String(before) !== String(content)
      },
      read: async (root, path) => files.get(`${root}/${path}`) ?? new Uint8Array(),
      link: async () => {},
    },
    artifacts: { download: async () => {} },
    checks: {
      http: async () => ({ isPassing: true, output: '', statusCode: 200 }),
      tcp: async () => ({ isPassing: true, output: '', statusCode: 0 }),
      grpc: async () => ({ isPassing: true, output: '', statusCode: 0 }),
    },
    devices: { grant: () => ({ environment: {}, nodes: [] }) },
    network: memoryNetworks(),
    refusalOf: () => undefined,
    values: { open: async () => ({ kind: 'refused', reason: 'simulated hosts have no keys' }) },
    stableRandom: (_, size) => new Uint8Array(size),
  }
}

function memoryNetworks(): HookPorts['network'] {
  const made = new Map<string, OwnNetwork>()
  return {
    async prepare({ allocationId, hostname, dns }) {
      const status = { InterfaceName: 'eth0', Address: '172.26.64.2', DNS: dns }
      const network: OwnNetwork = { kind: 'namespace', path: `/run/netns/${allocationId}`, status, hostname }
      made.set(allocationId, network)
      return network
    },
    find: (allocationId) => made.get(allocationId),
    release: async (allocationId) => void made.delete(allocationId),
    unreadable: new Set(),
    async releaseUnclaimed(isClaimed) {
      const unclaimed = [...made.keys()].filter((id) => !isClaimed(id))
      for (const id of unclaimed) made.delete(id)
      return unclaimed.length
    },
  }
}
