import { describe, expect, test } from 'vitest'
import { checkConfig } from '../../src/main/config.js'
import { serverConfigSchema } from '../../src/main/server-config.js'
import { limitsOf, remoteAccessOf, trustOf } from '../../src/main/source-config.js'

test.each([
  [{ repository: 'https://ann:canary@git.example.org/x' }, /source\.repository: .*holds a password; put it into a file/],
  [{ repository: 'git@git.example.org:ops/x.git' }, /source\.access: known_hosts_file is needed for ssh/],
  [{ repository: 'https://git.example.org/x', access: { ssh_key_file: '/k' } }, /source\.access\.ssh_key_file: is not for a repository/],
  [
    { repository: 'https://git.example.org/x', access: { token_file: '/a', token_env: 'B' } },
    /source\.access\.token_env: token_file is given too/,
  ],
  [{ repository: 'https://git.example.org/x', access: { client_cert_file: '/a' } }, /client_cert_file and client_key_file go together/],
  [{ repository: '/srv/x', access: { token_file: '/a' } }, /source\.access: is for remotes/],
  [{ repository: 'https://git.example.org/x', ref: 'refs/tags/v*' }, /source\.ref: .*say which versions are wanted/],
  [{ repository: 'https://git.example.org/x', ref: 'main' }, /source\.ref: must be HEAD, a full ref/],
])('a configuration with the source %j is refused', (source, message) => {
  let told = ''
  try {
    checkConfig('server.yaml', { data_dir: '/d', source }, serverConfigSchema)
  } catch (error) {
    told = (error as Error).message
  }
  expect(told).toMatch(message)
  expect(told).not.toContain('canary')
})

test.each(['nats://127.0.0.1:port', 'nats://', '', 'nats://a b'])('%j is no address of a broker, and told as such', (url) => {
  const config = { data_dir: '/d', source: { repository: '/srv/x' }, nats: { url } }
  expect(() => checkConfig('server.yaml', config, serverConfigSchema)).toThrow(/nats\.url: an address as in nats:\/\/127\.0\.0\.1:4222/)
})

test.each(['nats://127.0.0.1:4222', '127.0.0.1:4222', 'tls://nats.example.org', 'ws://[::1]:8080'])('%j is one', (url) => {
  const config = { data_dir: '/d', source: { repository: '/srv/x' }, nats: { url } }
  expect(checkConfig('server.yaml', config, serverConfigSchema).nats?.url).toBe(url)
})

test('what the configuration says of access is what git is started with', () => {
  const access = { username: 'deploy', token_file: '/t', ca_file: '/ca', client_cert_file: '/c', client_key_file: '/k' }
  const { source } = checkConfig(
    'server.yaml',
    { data_dir: '/d', source: { repository: 'https://git.example.org/x', access } },
    serverConfigSchema,
  )
  expect(remoteAccessOf(source)).toEqual({
    username: 'deploy',
    token: { kind: 'file', path: '/t' },
    tls: { caFile: '/ca', certFile: '/c', keyFile: '/k' },
    ssh: {},
  })
})

const ROOT = 'a'.repeat(40)
test.each([
  [{ mode: 'head' }, /source\.trust\.mode: needs allowed_signers_file \(ssh\) or gpg_keys_file/],
  [{ mode: 'strict', allowed_signers_file: '/s' }, /source\.trust\.root: is needed in strict mode/],
  [{ mode: 'strict', allowed_signers_file: '/s', root: 'main' }, /source\.trust\.root: a whole commit id/],
  [{ mode: 'head', allowed_signers_file: '/s', paths: [{ path: 'jobs', signers: ['a'] }] }, /source\.trust\.paths: is for strict mode/],
  [
    { mode: 'strict', allowed_signers_file: '/s', root: ROOT, paths: [{ path: '/jobs', signers: ['a'] }] },
    /paths\.0\.path: a path from the top/,
  ],
  [
    { mode: 'strict', allowed_signers_file: '/s', root: ROOT, paths: [{ path: 'jobs', signers: ['a', 'a'], required: 2 }] },
    /paths\.0: required is more than there are signers/,
  ],
])('a configuration with the trust %j is refused', (trust, message) => {
  const source = { repository: '/srv/x', trust }
  expect(() => checkConfig('server.yaml', { data_dir: '/d', source }, serverConfigSchema)).toThrow(message)
})

test('where signatures are asked for a rewind cannot be followed unasked', () => {
  const source = { repository: '/srv/x', rewind: 'follow', trust: { mode: 'head', allowed_signers_file: '/s' } }
  expect(() => checkConfig('server.yaml', { data_dir: '/d', source }, serverConfigSchema)).toThrow(/source\.rewind: must be hold/)
})

test('the rules of trust are those of the configuration', () => {
  const paths = [{ path: 'jobs/prod', signers: ['ann', 'bob'], required: 2 }]
  const trust = { mode: 'strict', root: ROOT, allowed_signers_file: '/s', gpg_keys_file: '/g', paths }
  const { source } = checkConfig('server.yaml', { data_dir: '/d', source: { repository: '/srv/x', trust } }, serverConfigSchema)
  expect(trustOf(source, '/home')).toEqual({
    rules: { mode: 'strict', root: ROOT, paths },
    keys: { gpgHome: '/home', allowedSignersFile: '/s', gpgKeysFile: '/g' },
  })
  expect(trustOf({ ...source, trust: undefined }, '/home')).toBeUndefined()
})

const REMOTE = { repository: 'https://git.example.org/x', ref: 'refs/heads/main' }
test.each([
  [{ ...REMOTE, forge: { kind: 'github', project: 'cluster', token_env: 'T' } }, /source\.forge\.project: owner\/name/],
  [{ ...REMOTE, forge: { kind: 'github', project: 'a/b' } }, /source\.forge\.token_file: or token_env is needed/],
  [{ ...REMOTE, forge: { kind: 'gitea', project: 'a/b', token_env: 'T' } }, /source\.forge\.api: is needed/],
  [
    { ...REMOTE, forge: { kind: 'github', project: 'a/b', token_env: 'T', api: 'http://git.example.org' } },
    /source\.forge\.api: is not encrypted/,
  ],
  [
    { ...REMOTE, ref: 'HEAD', forge: { kind: 'github', project: 'a/b', token_env: 'T' } },
    /source\.forge: is for a remote whose branch is followed/,
  ],
  [
    { repository: '/srv/x', ref: 'refs/heads/main', forge: { kind: 'github', project: 'a/b', token_env: 'T' } },
    /source\.forge: is for a remote/,
  ],
])('a configuration with the forge %j is refused', (source, message) => {
  expect(() => checkConfig('server.yaml', { data_dir: '/d', source }, serverConfigSchema)).toThrow(message)
})

describe('further sources', () => {
  const read = (sources: unknown) =>
    checkConfig('server.yaml', { data_dir: '/d', source: { repository: '/srv/x' }, sources }, serverConfigSchema)

  test('what is not named is not allowed', () => {
    const { sources } = read({ shop: { repository: '/srv/shop', allow: { namespaces: ['shop'] } } })
    expect(limitsOf(sources['shop']!.allow)).toEqual({
      namespaces: ['shop'],
      nodePools: [],
      drivers: [],
      privileged: false,
      hostVolumes: [],
      priorityMax: 50,
    })
    expect(limitsOf(undefined)).toBeUndefined()
  })

  test.each([
    [{ shop: { repository: '/srv/shop' } }, /sources\.shop\.allow: /],
    [{ default: { repository: '/srv/shop', allow: {} } }, /"default" is the name of the first one/],
    [{ 'a/b': { repository: '/srv/shop', allow: {} } }, /sources\.a\/b: /],
    [{ shop: { repository: '/srv/shop', ref: 'main', allow: {} } }, /sources\.shop\.ref: must be HEAD, a full ref/],
    [{ shop: { repository: '/srv/shop', allow: { namespaces: ['*a'] } } }, /a name, which may end in \*/],
    [{ shop: { repository: '/srv/shop', allow: { priority_max: 101 } } }, /sources\.shop\.allow\.priority_max: /],
    [{ shop: { repository: 'git@git.example.org:ops/x.git', allow: {} } }, /sources\.shop\.access: known_hosts_file is needed for ssh/],
  ])('%j is refused', (sources, message) => {
    expect(() => read(sources)).toThrow(message)
  })
})
