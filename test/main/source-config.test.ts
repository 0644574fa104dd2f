import { expect, test } from 'vitest'
import { checkConfig, serverConfigSchema } from '../../src/main/config.js'
import { remoteAccessOf } from '../../src/main/source-config.js'

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
