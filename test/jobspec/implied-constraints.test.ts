/** Which services and secrets need a Consul or a Vault on the host. */
import { describe, expect, test } from 'vitest'
import { canonicalizeJob, readApiJob } from '../../src/jobspec/index.js'

const CONSUL = '${attr.consul.version}'
const VAULT = '${attr.vault.version}'

function targetsOf(group: object): readonly string[] {
  const job = canonicalizeJob(readApiJob({ ID: 'j', TaskGroups: [{ Name: 'g', ...group }] }))
  const tasks = job.TaskGroups[0]!.Tasks
  return [...(job.TaskGroups[0]!.Constraints ?? []), ...tasks.flatMap((task) => task.Constraints ?? [])].map(({ LTarget }) => LTarget)
}

const task = (members: object) => ({ Name: 't', Driver: 'raw_exec', Config: { command: '/bin/true' }, ...members })

describe('a Consul on the host', () => {
  test('is not needed for services, of groups or tasks', () => {
    expect(targetsOf({ Services: [{ Name: 'web' }], Tasks: [task({})] })).not.toContain(CONSUL)
    expect(targetsOf({ Tasks: [task({ Services: [{ Name: 'web', Provider: 'consul', Checks: [{ Type: 'tcp' }] }] })] })).not.toContain(
      CONSUL,
    )
  })

  test('is needed for its mesh', () => {
    const mesh = { Name: 'web', PortLabel: '80', Connect: { SidecarService: {} } }
    expect(targetsOf({ Networks: [{ Mode: 'bridge' }], Services: [mesh], Tasks: [task({})] })).toContain(CONSUL)
    // One that is native to it speaks for itself.
    expect(targetsOf({ Tasks: [task({ Services: [{ Name: 'web', Connect: { Native: true } }] })] })).not.toContain(CONSUL)
  })
})

describe('a Vault on the host', () => {
  test.each([
    [
      'templates read secrets',
      { Vault: {}, Templates: [{ EmbeddedTmpl: '{{ with secret "kv/data/app" }}{{ .Data.data.a }}{{ end }}' }] },
      false,
    ],
    ['templates read a list of secrets', { Vault: {}, Templates: [{ EmbeddedTmpl: '{{ range secrets "kv/" }}{{ . }}{{ end }}' }] }, false],
    ['a template is a file that is not known yet', { Vault: {}, Templates: [{ SourcePath: 'local/t' }] }, false],
    ['nothing reads a secret', { Vault: {}, Templates: [{ EmbeddedTmpl: 'secrets of nobody' }] }, true],
    ['there is no template', { Vault: {} }, true],
    [
      'the token is named besides',
      { Vault: {}, Templates: [{ EmbeddedTmpl: '{{ secret "a" }}' }], Env: { TOKEN: '${VAULT_TOKEN}' } },
      true,
    ],
    [
      'the address is named in the configuration',
      { Vault: {}, Templates: [{ EmbeddedTmpl: '{{ secret "a" }}' }], Config: { command: '/bin/sh', args: ['-c', 'curl $VAULT_ADDR'] } },
      true,
    ],
    ['there is no block', { Templates: [{ EmbeddedTmpl: '{{ secret "a" }}' }] }, false],
  ])('where %s', (_, members, isNeeded) => {
    expect(targetsOf({ Tasks: [task(members)] }).includes(VAULT)).toBe(isNeeded)
  })
})
