/** `agent --check` tells of networks, too: what is missing, and where it was looked for. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findTool } from '../../src/adapters/supervisor/tools.js'
import { checkHost } from '../../src/main/host-check.js'

const DRIVERS = ['docker', 'exec', 'java', 'qemu', 'raw_exec']

async function check(plugins: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'drover-host-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const name of ['plugins', 'lists']) mkdirSync(join(folder, name))
  for (const name of plugins) {
    writeFileSync(join(folder, 'plugins', name), '#!/bin/sh\n')
    chmodSync(join(folder, 'plugins', name), 0o755)
  }
  const config = join(folder, 'agent.yaml')
  const off = DRIVERS.map((name) => `  ${name}: { enabled: false }`).join('\n')
  const network = `network: { cni_path: ["${folder}/plugins"], cni_config_dir: "${folder}/lists" }`
  writeFileSync(config, `data_dir: ${folder}/data\nnats: { url: "nats://127.0.0.1:4222" }\ndrivers:\n${off}\n${network}\n`)
  let said = ''
  const code = await checkHost(config, (text) => {
    said += text
  })
  return { code, folder, row: said.split('\n').find((line) => line.startsWith('networks in mode bridge')) }
}

test.skipIf(process.getuid?.() !== 0)('plugins that bridges need and that are nowhere are named', async () => {
  const { code, folder, row } = await check(['loopback', 'bridge', 'portmap'])
  expect(row).toMatch(/^networks in mode bridge +no +no plugin host-local, firewall in /)
  expect(row).toContain(`${folder}/plugins; they are part of containernetworking-plugins`)
  expect(code).toBe(1)
})

test.skipIf(process.getuid?.() !== 0 || findTool('iptables') === undefined)('with all of them bridges work', async () => {
  const { row } = await check(['loopback', 'bridge', 'host-local', 'firewall', 'portmap'])
  expect(row).toMatch(/^networks in mode bridge +yes +172\.26\.64\.0\/20/)
})
