import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hostsText, nameMounts, resolverText } from '../../../src/adapters/drivers/name-files.js'
import type { TaskPlace } from '../../../src/agent/index.js'

const HOST = '# made by somebody\nnameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch lan example\noptions edns0\n'

test('what a job does not say of name servers is as on the host', () => {
  expect(resolverText({ Servers: ['10.0.0.1', '10.0.0.2'], Searches: null, Options: [] }, HOST)).toBe(
    'nameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch lan example\noptions edns0\n',
  )
  expect(resolverText({ Servers: null, Searches: ['a', 'b'], Options: ['ndots:5', 'rotate'] }, HOST)).toBe(
    'nameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch a b\noptions ndots:5 rotate\n',
  )
  expect(resolverText({ Servers: ['10.0.0.1'], Searches: null, Options: null }, '')).toBe('nameserver 10.0.0.1\n')
})

test('a task finds itself by its name, and whom it is told of', () => {
  const lines = hostsText('172.26.64.2', 'web', ['db:10.0.0.5', 'six:2001:db8::1']).split('\n')
  expect(lines).toEqual(expect.arrayContaining(['172.26.64.2 web', '10.0.0.5 db', '2001:db8::1 six']))
  expect(hostsText('', 'alone', [])).toContain('127.0.0.1 alone\n')
})

test('a link that is planted where the files go is not written through', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-names-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'elsewhere'))
  symlinkSync(join(folder, 'elsewhere'), join(folder, '.names'))
  const place = {
    directories: { task: folder },
    network: { kind: 'host', dns: { Servers: ['10.0.0.1'], Searches: null, Options: null } },
  } as unknown as TaskPlace
  const [mount, ...others] = nameMounts(place)
  expect(others).toEqual([])
  expect(mount).toMatchObject({ source: join(folder, '.names/resolv.conf'), target: '/etc/resolv.conf', isReadOnly: true })
  expect(readFileSync(mount!.source, 'utf8')).toContain('nameserver 10.0.0.1\n')
  expect(() => readFileSync(join(folder, 'elsewhere/resolv.conf'))).toThrow('ENOENT')
})

test('whoever the task runs as can read them, though the agent keeps its files to itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-names-'))
  const umask = process.umask(0o077)
  onTestFinished(() => {
    process.umask(umask)
    rmSync(folder, { recursive: true })
  })
  const network = {
    kind: 'namespace',
    status: { Address: '172.26.64.2', DNS: { Servers: ['10.0.0.1'], Searches: null, Options: null } },
    hostname: 'web',
  }
  const mounts = nameMounts({ directories: { task: folder }, network } as unknown as TaskPlace)
  expect(mounts.map(({ target, source }) => [target, (statSync(source).mode & 0o777).toString(8)])).toEqual([
    ['/etc/resolv.conf', '644'],
    ['/etc/hosts', '644'],
  ])
  expect((statSync(join(folder, '.names')).mode & 0o777).toString(8)).toBe('755')
})
