import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../src/adapters/logger.js'
import { bridgeList, parseList, pluginInput, statusOf } from '../../src/adapters/network/cni-lists.js'
import { AllocationNetworks, networkFingerprint } from '../../src/adapters/network/index.js'
import type { NetworkWant } from '../../src/agent/index.js'
import { freePort } from '../free-port.js'
import { hasBridges, PLUGIN_FOLDERS } from './cni.js'

const wantOf = (over: Partial<NetworkWant> = {}): NetworkWant => ({
  allocationId: randomUUID(),
  mode: 'bridge',
  hostname: 'web',
  dns: null,
  ports: [],
  drivers: ['raw_exec'],
  args: {},
  ...over,
})

describe('lists', () => {
  test('ports are mapped for both protocols, to where the task listens', () => {
    const list = bridgeList({ name: 'drover', subnet: '10.99.0.0/24', isHairpin: false })
    const want = wantOf({ ports: [{ Label: 'http', Value: 20_001, To: 80, HostIP: '10.0.0.5' }] })
    const portmap = list.plugins.find(({ type }) => type === 'portmap')!
    expect(pluginInput(list, portmap, want, { ips: [] })).toMatchObject({
      name: 'drover',
      prevResult: { ips: [] },
      runtimeConfig: {
        portMappings: [
          { hostPort: 20_001, containerPort: 80, protocol: 'tcp', hostIP: '10.0.0.5' },
          { hostPort: 20_001, containerPort: 80, protocol: 'udp', hostIP: '10.0.0.5' },
        ],
      },
    })
    expect(pluginInput(list, list.plugins[0]!, want, undefined)).toEqual({ type: 'loopback', name: 'drover', cniVersion: '0.4.0' })
  })

  test('one plugin alone is a list of one; arguments reach it', () => {
    const list = parseList('x.conf', '{"name": "lan", "cniVersion": "1.0.0", "type": "macvlan", "master": "eth1"}')
    expect(list).toEqual({ name: 'lan', cniVersion: '1.0.0', plugins: [{ type: 'macvlan', master: 'eth1' }] })
    expect(pluginInput(list, list.plugins[0]!, wantOf({ args: { nic: 'a' } }), undefined)).toMatchObject({ args: { cni: { nic: 'a' } } })
  })

  test.each(['[', '{}', '{"name": "x", "plugins": []}', '{"name": "x", "plugins": [{}]}'])('%s is refused with its path', (text) => {
    expect(() => parseList('/etc/x.conflist', text)).toThrow('/etc/x.conflist')
  })

  test('the address is that of the interface inside, the first of IPv4', () => {
    const result = {
      interfaces: [{ name: 'drover' }, { name: 'veth1' }, { name: 'eth0', sandbox: '/run/netns/x' }],
      ips: [
        { address: 'fd00::2/64', interface: 2 },
        { address: '172.26.64.7/20', interface: 2 },
      ],
      dns: { nameservers: ['172.26.64.1'] },
    }
    expect(statusOf(result, null)).toEqual({
      InterfaceName: 'eth0',
      Address: '172.26.64.7',
      AddressIPv6: 'fd00::2',
      DNS: { Servers: ['172.26.64.1'], Searches: null, Options: null },
    })
    const own = { Servers: ['1.1.1.1'], Searches: null, Options: null }
    expect(statusOf(result, own).DNS).toBe(own)
    expect(statusOf({}, null)).toEqual({ InterfaceName: '', Address: '', DNS: null })
  })
})

describe.skipIf(!hasBridges())('networks of allocations (root, with CNI plugins and iptables)', () => {
  let folder: string
  let bridge: { name: string; subnet: string; isHairpin: boolean }
  let networks: AllocationNetworks
  const servers: Server[] = []

  const open = () =>
    new AllocationNetworks({
      folder,
      bridge,
      pluginFolders: PLUGIN_FOLDERS,
      listFolder: join(folder, 'lists'),
      makers: new Map(),
      logger: silentLogger,
    })
  const run = (...words: string[]) => execFileSync(words[0]!, words.slice(1), { encoding: 'utf8' })
  const translations = () => run('iptables', '-t', 'nat', '-S')
  const inside = (want: NetworkWant, ...words: string[]) => run('nsenter', `--net=/run/netns/drover-${want.allocationId}`, ...words)

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'drover-network-'))
    const number = 1 + Math.floor(Math.random() * 250)
    bridge = { name: `drv${process.pid % 10_000}x${number}`, subnet: `10.213.${number}.0/24`, isHairpin: false }
    networks = open()
  })

  afterEach(async () => {
    await networks.releaseUnclaimed(() => false)
    for (const server of servers.splice(0)) server.close()
    if (existsSync(`/sys/class/net/${bridge.name}`)) run('ip', 'link', 'del', bridge.name)
    rmSync(folder, { recursive: true })
    rmSync(`/var/lib/cni/networks/${bridge.name}`, { recursive: true, force: true })
  })

  test('an allocation has an address and a way out, and gives everything back', async () => {
    const want = wantOf()
    const network = await networks.prepare(want)
    expect(network).toMatchObject({ kind: 'namespace', hostname: 'web', status: { InterfaceName: 'eth0' } })
    expect(network.status.Address).toMatch(new RegExp(`^${bridge.subnet.slice(0, -4).replaceAll('.', '\\.')}`))
    expect(inside(want, 'ip', '-4', 'addr', 'show', 'eth0')).toContain(network.status.Address)
    expect(inside(want, 'ip', 'route')).toContain('default via')
    await networks.release(want.allocationId)
    expect(existsSync(network.path)).toBe(false)
    expect(networks.find(want.allocationId)).toBeUndefined()
    expect(translations()).not.toContain(network.status.Address)
  })

  test('asked by several tasks at once, or by the next life of the agent, it is made once', async () => {
    const want = wantOf()
    const [first, second] = await Promise.all([networks.prepare(want), networks.prepare(want)])
    expect(second).toEqual(first)
    networks = open()
    expect(networks.find(want.allocationId)).toEqual(first)
    expect(await networks.prepare(want)).toEqual(first)
  })

  test('what is listened to inside is reached at the port of the host', async () => {
    const [address] = run('hostname', '-I').split(' ')
    const port = await freePort()
    const want = wantOf({ ports: [{ Label: 'http', Value: port, To: 8080, HostIP: '' }] })
    await networks.prepare(want)
    const program = "require('net').createServer((s) => s.end('hello')).listen(8080, () => console.log('up'))"
    const { spawn } = await import('node:child_process')
    const child = spawn('nsenter', [`--net=/run/netns/drover-${want.allocationId}`, process.execPath, '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve))
      expect(await textFrom(address!, port)).toBe('hello')
    } finally {
      child.kill('SIGKILL')
    }
  })

  test('a port that a program of the host has is not taken from it', async () => {
    const port = await listen(servers)
    const want = wantOf({ ports: [{ Label: 'http', Value: port, To: 80, HostIP: '' }] })
    await expect(networks.prepare(want)).rejects.toThrow(`host port ${port} ("http") is used`)
    expect(existsSync(`/run/netns/drover-${want.allocationId}`)).toBe(false)
  })

  test('what fails half way is given back whole', async () => {
    // No bridge: the plugin refuses it.
    run('ip', 'link', 'add', bridge.name, 'type', 'veth', 'peer', 'name', `${bridge.name}p`)
    networks = open()
    const want = wantOf()
    await expect(networks.prepare(want)).rejects.toThrow('plugin type="bridge" failed (add)')
    expect(existsSync(`/run/netns/drover-${want.allocationId}`)).toBe(false)
    expect(networks.find(want.allocationId)).toBeUndefined()
  })

  test.each([
    ['zeroed', (text: string) => '\0'.repeat(text.length)],
    ['cut off', (text: string) => text.slice(0, text.length / 2)],
    ['of something else', () => '{"want":{"allocationId":"other"}}'],
    ['nothing', () => 'null'],
  ])('what was written of one network and is %s gives that one back, and leaves the others', async (_, damage) => {
    const want = wantOf()
    const sound = wantOf({ allocationId: randomUUID() })
    const other = await networks.prepare(sound)
    await networks.prepare(want)
    const file = join(folder, `networks/${want.allocationId}.json`)
    writeFileSync(file, damage(readFileSync(file, 'utf8')))
    networks = open()
    expect([...networks.unreadable]).toEqual([want.allocationId])
    expect(networks.find(want.allocationId)).toBeUndefined()
    expect(networks.find(sound.allocationId)).toEqual(other)
    expect(await networks.releaseUnclaimed((id) => id === sound.allocationId)).toBe(1)
    expect(existsSync(`/run/netns/drover-${want.allocationId}`)).toBe(false)
    const leases = readdirSync(`/var/lib/cni/networks/${bridge.name}`).filter((name) => /^\d/.test(name))
    expect(leases).toEqual([other.status.Address])
    expect([...networks.unreadable]).toEqual([])
    expect(translations()).not.toContain(want.allocationId)
    expect(translations()).toContain(sound.allocationId)
  })

  test('an address is given back when only the books of an earlier life know of it', async () => {
    const want = wantOf()
    await networks.prepare(want)
    run('ip', 'netns', 'del', `drover-${want.allocationId}`)
    networks = open()
    expect(networks.find(want.allocationId)).toBeUndefined()
    expect(await networks.releaseUnclaimed(() => false)).toBe(1)
    const leases = readdirSync(`/var/lib/cni/networks/${bridge.name}`).filter((name) => /^\d/.test(name))
    expect(leases).toEqual([])
    expect(translations()).not.toContain(want.allocationId)
  })

  test('mode none has a loopback and nothing else; cni/<name> is what the host says', async () => {
    const alone = wantOf({ mode: 'none' })
    await networks.prepare(alone)
    expect(inside(alone, 'ip', '-o', 'link').trim().split('\n')).toHaveLength(1)
    await expect(networks.prepare(wantOf({ mode: 'cni/mine' }))).rejects.toThrow('no CNI configuration in')
    mkdirSync(join(folder, 'lists'))
    const list = { cniVersion: '0.4.0', name: 'mine', plugins: [{ type: 'loopback' }] }
    writeFileSync(join(folder, 'lists', 'mine.conflist'), JSON.stringify(list))
    writeFileSync(join(folder, 'lists', 'broken.conflist'), '[')
    const mine = wantOf({ mode: 'cni/mine' })
    expect((await networks.prepare(mine)).path).toBe(`/run/netns/drover-${mine.allocationId}`)
    const { attributes, networks: modes } = await networkFingerprint(networks)
    expect(modes.map(({ Mode }) => Mode)).toEqual(['bridge', 'cni/mine'])
    expect(attributes['plugins.cni.version.bridge']).toMatch(/^\d+\.\d+\.\d+/)
  })
})

function listen(servers: Server[]): Promise<number> {
  const server = createServer()
  servers.push(server)
  return new Promise((resolve) => server.listen(0, () => resolve((server.address() as { port: number }).port)))
}

async function textFrom(host: string, port: number): Promise<string> {
  const { connect } = await import('node:net')
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, host)
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
}
