/** Control groups of each version, on folders that look like theirs. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createBounded, hasRunOutOfMemory, openGroups, type RunLimits, usableControllers } from '../../../src/adapters/supervisor/cgroup.js'

const LIMITS: RunLimits = { memoryBytes: 64 << 20, memoryKeptBytes: 32 << 20, cpuShares: 1_024, cpus: '1', pids: 100 }
const UNBOUNDED: RunLimits = { memoryBytes: 0, memoryKeptBytes: 0, cpuShares: 0, cpus: '', pids: 0 }

/** A host: mounts as `folder type options`, and the lines of this process's groups. */
class FakeHost {
  readonly folder = mkdtempSync(join(tmpdir(), 'drover-cgroup-'))
  readonly process = join(this.folder, 'proc')

  constructor(mounts: readonly string[], groups: readonly string[]) {
    onTestFinished(() => rmSync(this.folder, { recursive: true }))
    const lines = mounts.map((mount, at) => {
      const [path = '', type, options] = mount.split(' ')
      mkdirSync(this.at(path), { recursive: true })
      return `${30 + at} 20 0:${at} / ${this.at(path)} rw,relatime shared:${at} - ${type} ${type} ${options}`
    })
    this.write('proc/mountinfo', `1 1 0:1 / / rw - ext4 /dev/vda rw\n${lines.join('\n')}\n`)
    this.write('proc/cgroup', `${groups.join('\n')}\n`)
  }

  at(path: string): string {
    return join(this.folder, path)
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.at(path)), { recursive: true })
    writeFileSync(this.at(path), text)
  }

  read(path: string): string {
    return readFileSync(this.at(path), 'utf8')
  }
}

/** Controllers of v1; of v2 only the tree. */
function hybrid(): FakeHost {
  const names = ['cpu', 'memory', 'pids', 'cpuset']
  const host = new FakeHost(
    [...names.map((name) => `${name} cgroup rw,${name}`), 'unified cgroup2 rw'],
    [...names.map((name, at) => `${at + 2}:${name}:/own`), '1:name=systemd:/own', '0::/own'],
  )
  host.write('cpuset/own/cpuset.cpus', '0-3\n')
  host.write('cpuset/own/cpuset.mems', '0\n')
  return host
}

test('with controllers of v1 the groups are below that of the supervisor, in each tree', () => {
  const host = hybrid()
  expect(usableControllers(host.process)).toEqual({ version: '1', names: ['cpu', 'memory', 'pids', 'cpuset'] })
  const { controllers } = openGroups('agent', host.process)
  expect(controllers.folders).toEqual(
    Object.fromEntries(['cpu', 'memory', 'pids', 'cpuset'].map((name) => [name, host.at(`${name}/own/drover-agent`)])),
  )
  expect(host.read('cpuset/own/drover-agent/cpuset.cpus')).toBe('0-3')
})

test('a run is bounded by the files of v1', () => {
  const host = hybrid()
  const groups = openGroups('agent', host.process)
  const paths = createBounded(groups, 'run', LIMITS)
  expect(paths.map((path) => path.slice(host.folder.length + 1))).toEqual(
    ['cpu', 'memory', 'pids', 'cpuset'].map((name) => `${name}/own/drover-agent/run`),
  )
  const of = (controller: string, file: string) => host.read(`${controller}/own/drover-agent/run/${file}`)
  expect(of('memory', 'memory.limit_in_bytes')).toBe('67108864')
  expect(of('memory', 'memory.memsw.limit_in_bytes')).toBe('67108864')
  expect(of('memory', 'memory.soft_limit_in_bytes')).toBe('33554432')
  expect(of('cpu', 'cpu.shares')).toBe('1024')
  expect(of('cpuset', 'cpuset.cpus')).toBe('1')
  expect(of('cpuset', 'cpuset.mems')).toBe('0')
  expect(of('pids', 'pids.max')).toBe('100')
})

test('a group of v1 without a bound can still take processes: it has the cores of the one above', () => {
  const host = hybrid()
  createBounded(openGroups('agent', host.process), 'run', UNBOUNDED)
  expect(host.read('cpuset/own/drover-agent/run/cpuset.cpus')).toBe('0-3')
  expect(readdirSync(host.at('memory/own/drover-agent/run'))).toEqual([])
  expect(readdirSync(host.at('pids/own/drover-agent/run'))).toEqual([])
})

test('with v2 alone the groups are below a slice of the root, with the controllers that the kernel has', () => {
  const host = new FakeHost(['cgroup cgroup2 rw'], ['0::/system.slice/drover.service'])
  host.write('cgroup/cgroup.controllers', 'cpuset cpu io memory hugetlb pids\n')
  expect(usableControllers(host.process)).toEqual({ version: '2', names: ['cpu', 'memory', 'pids', 'cpuset'] })
  host.write('cgroup/cgroup.controllers', 'cpu pids\n')
  expect(usableControllers(host.process)).toEqual({ version: '2', names: ['cpu', 'pids'] })
})

test('a run is bounded by the files of v2, all in one folder', () => {
  const host = new FakeHost(['cgroup cgroup2 rw'], ['0::/'])
  const folder = host.at('cgroup/drover.slice/drover-agent')
  const folders = { cpu: folder, memory: folder, pids: folder, cpuset: folder }
  expect(createBounded({ tree: folder, controllers: { version: '2', folders } }, 'run', LIMITS)).toEqual([join(folder, 'run')])
  const said = Object.fromEntries(readdirSync(join(folder, 'run')).map((name) => [name, readFileSync(join(folder, 'run', name), 'utf8')]))
  expect(said).toEqual({
    'memory.max': '67108864',
    'memory.swap.max': '0',
    'memory.low': '33554432',
    'cpu.weight': '39',
    'cpuset.cpus': '1',
    'pids.max': '100',
  })
})

test('a kernel without v2 groups of ours leaves runs unbounded', () => {
  const host = new FakeHost(['cgroup cgroup2 rw'], ['0::/'])
  host.write('cgroup/cgroup.controllers', '\n')
  expect(usableControllers(host.process).names).toEqual([])
  const groups = openGroups('agent', host.process)
  expect(groups.controllers.folders).toEqual({})
  expect(createBounded(groups, 'run', LIMITS)).toEqual([])
  expect(existsSync(host.at('cgroup/drover.slice'))).toBe(false)
})

test('a kill for want of memory is counted by either version', () => {
  const host = new FakeHost([], [])
  host.write('one/memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n')
  host.write('two/memory.events', 'low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\n')
  host.write('none/memory.events', 'low 0\nhigh 0\nmax 12\noom 1\noom_kill 0\n')
  host.write('old/memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\n')
  for (const name of ['one', 'two']) expect(hasRunOutOfMemory([host.at('nothing'), host.at(name)])).toBe(true)
  expect(hasRunOutOfMemory([host.at('none'), host.at('old'), host.at('nothing')])).toBe(false)
})
