import { expect, test } from 'vitest'
import { readDriverConfig } from '../../src/jobspec/index.js'
import { readJob, readText } from './read.js'

const withConfig = (driver: string, config: string) =>
  `job "j" {\n  group "g" {\n    task "t" {\n      driver = "${driver}"\n      config {\n${config}\n      }\n    }\n  }\n}\n`

test('what a file writes for docker is what the host reads, blocks and maps alike', async () => {
  const job = await readJob(
    withConfig(
      'docker',
      `image = "web:1"
       args = ["-p", 80, true]
       labels { team = "web" }
       labels { tier = 1 }
       port_map { http = "8080" }
       ulimit = { nofile = "1024:2048" }
       auth { username = "me" }
       mount { target = "/a" }
       mount {
         type = "tmpfs"
         target = "/b"
         tmpfs_options { size = 1000 }
       }
       shm_size = "64000000"
       privileged = "true"
       entrypoint = "run"`,
    ),
  )
  expect(readDriverConfig('docker', job.TaskGroups[0]!.Tasks[0]!.Config!)).toEqual({
    kind: 'config',
    config: expect.objectContaining({
      image: 'web:1',
      args: ['-p', '80', 'true'],
      labels: { team: 'web', tier: '1' },
      port_map: { http: 8080 },
      ulimit: { nofile: '1024:2048' },
      auth: { username: 'me' },
      mount: [{ target: '/a' }, { type: 'tmpfs', target: '/b', tmpfs_options: { size: 1000 } }],
      shm_size: 64_000_000,
      privileged: true,
      entrypoint: ['run'],
    }),
  })
})

test('every mistake in a configuration is told with its place, also inside blocks', async () => {
  const outcome = await readText(
    withConfig(
      'docker',
      'imag = "x"\nargs = "one"\nprivileged = "maybe"\ndevices { container_path = "/dev/x" }\nmount {\n  typ = "bind"\n}',
    ),
  )
  const texts = outcome.kind === 'mistakes' ? outcome.mistakes.map(({ summary, detail }) => `${summary} ${detail}`) : []
  for (const part of [
    'driver docker requires config "image"',
    'driver docker has no config "imag"; did you mean "image"?',
    'config "args" must be a list of texts',
    'config "privileged" must be true or false',
    'requires config "devices[0].host_path"',
    'has no config "mount[0].typ"',
  ])
    expect(
      texts.some((text) => text.includes(part)),
      `${part} in ${texts.join('\n')}`,
    ).toBe(true)
})

test('what holds a reference is checked on the host, where its value is known', async () => {
  const config = 'image = "x"\nshm_size = "$${meta.size}"\nprivileged = "$${meta.all}"'
  expect((await readText(withConfig('docker', config))).kind).not.toBe('mistakes')
  expect(readDriverConfig('docker', { image: 'x', shm_size: 'much' })).toEqual({
    kind: 'mistakes',
    mistakes: ['shm_size must be a number'],
  })
})

test('java needs a class or a jar, docker an image or a file of one', () => {
  expect(readDriverConfig('java', { args: ['x'] })).toMatchObject({ mistakes: ['The argument "jar_path" or "class" is required'] })
  expect(readDriverConfig('java', { jar_path: 'local/app.jar' }).kind).toBe('config')
  expect(readDriverConfig('docker', { load: 'image.tar' }).kind).toBe('config')
})
