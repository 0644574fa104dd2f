/** For simulated hosts: files are only told of, downloads and checks succeed. */
import type { HookPorts } from '../../agent/index.js'

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
    refusalOf: () => undefined,
    stableRandom: (_, size) => new Uint8Array(size),
  }
}
