import { expect, test } from 'vitest'
import { privilegesOf } from '../../../src/controller/sources/privileges.js'

test.each([
  ['exec', { command: '/bin/true' }],
  ['exec', { pid_mode: 'private', cap_add: [], ipc_mode: '' }],
  ['java', { jar_path: 'local/a.jar' }],
  ['mock_driver', null],
  ['docker', { image: 'nginx', privileged: false, network_mode: 'bridge', volumes: ['local/x:/x', 'data'], cap_drop: ['all'] }],
  [
    'docker',
    {
      image: 'nginx',
      mount: [
        { type: 'bind', source: 'secrets/a', target: '/a' },
        { type: 'tmpfs', target: '/t' },
      ],
    },
  ],
])('%s with %j is a guest', (Driver, Config) => {
  expect(privilegesOf({ Driver, Config })).toEqual([])
})

test.each([
  ['raw_exec', {}, 'runs without isolation (raw_exec)'],
  ['exec', { cap_add: ['net_admin'] }, 'sets cap_add'],
  ['exec', { pid_mode: 'host' }, 'sets pid_mode'],
  ['java', { ipc_mode: '${meta.mode}' }, 'sets ipc_mode'],
  ['docker', { privileged: true }, 'sets privileged'],
  ['docker', { privileged: '${meta.p}' }, 'sets privileged'],
  ['docker', { devices: [{ host_path: '/dev/sda' }] }, 'sets devices'],
  ['docker', { security_opt: ['seccomp=unconfined'] }, 'sets security_opt'],
  ['docker', { userns_mode: 'host' }, 'sets userns_mode'],
  ['docker', { network_mode: 'host' }, 'sets network_mode "host"'],
  ['docker', { network_mode: 'container:other' }, 'sets network_mode "container:other"'],
  ['docker', { volume_driver: 'local' }, 'sets volume_driver'],
  ['docker', { volumes: ['/etc:/host'] }, 'mounts "/etc", which may lie outside its allocation'],
  ['docker', { volumes: ['../../x:/x'] }, 'mounts "../../x", which may lie outside its allocation'],
  ['docker', { volumes: ['${meta.from}:/x'] }, 'mounts "${meta.from}", which may lie outside its allocation'],
  ['docker', { mount: [{ type: 'bind', source: '/', target: '/host' }] }, 'mounts "/", which may lie outside its allocation'],
  ['docker', { mounts: [{ source: 'shared', target: '/x' }] }, 'mounts "shared", which may lie outside its allocation'],
  ['podman', { image: 'x', privileged: true }, 'sets privileged'],
])('%s with %j is more than that', (Driver, Config, what) => {
  expect(privilegesOf({ Driver, Config })).toEqual([what])
})
