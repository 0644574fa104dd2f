/** What this host says of itself, held against what the system says. */
import { execFileSync } from 'node:child_process'
import { cpus, machine } from 'node:os'
import { expect, test } from 'vitest'
import { createFingerprint } from '../../src/adapters/fingerprint/index.js'

const fingerprint = createFingerprint({
  nodeId: 'id',
  name: 'host',
  dataFolder: import.meta.dirname,
  version: '1',
  networks: async () => ({ attributes: { 'nomad.bridge.hairpin_mode': 'false' }, networks: [], nodeNetworks: [] }),
  devices: () => null,
})

test('a host tells its processors, kernel, control groups and what its disk is', async () => {
  const { Attributes } = await fingerprint()
  const [source] = execFileSync('df', ['--output=source', import.meta.dirname], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .slice(-1)
  expect(Attributes).toMatchObject({
    'cpu.numcores': String(cpus().length),
    'cpu.reservablecores': String(cpus().length),
    'kernel.arch': machine(),
    'nomad.bridge.hairpin_mode': 'false',
    'os.cgroups.version': expect.stringMatching(/^[12]$/),
    'unique.storage.volume': source,
  })
  for (const value of Object.values(Attributes)) expect(typeof value).toBe('string')
})
