/** The broker that `drover dev` starts is kept alive at its address. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findNatsServer } from '../../src/adapters/nats/server-process.js'
import { OwnBroker } from '../../src/main/own-broker.js'

const binary = findNatsServer()

test.skipIf(binary === undefined)(
  'a broker that is killed is started again at the same address (skipped where no nats-server is installed)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-broker-'))
    const said: string[] = []
    const broker = await OwnBroker.start({ binary: binary!, folder, say: (line) => said.push(line) })
    const pid = () => (JSON.parse(readFileSync(join(folder, 'server.json'), 'utf8')) as { readonly pid: number }).pid
    try {
      const { url } = broker
      const first = pid()
      process.kill(first, 'SIGKILL')
      await expect.poll(() => said.at(-1), { timeout: 20_000 }).toBe(`nats: nats-server is back at ${url}`)
      expect([broker.url, pid() === first]).toEqual([url, false])
    } finally {
      await broker.stop()
      rmSync(folder, { recursive: true, force: true })
    }
    expect(said.length).toBe(3)
  },
)
