/** What happens around a task: payload, artifacts, templates and what their changes ask for, volumes. */
import { describe, expect, test } from 'vitest'
import { DeclaredDevices } from '../../src/adapters/declared-devices.js'
import { readVariables } from '../../src/agent/hooks/env-file.js'
import { SECOND, type Template } from '../../src/domain/index.js'
import { AgentHarness, mockTask, type Wanted, wanted } from './harness.js'

const TEMPLATE: Template = {
  SourcePath: '',
  DestPath: 'local/x',
  EmbeddedTmpl: '',
  ChangeMode: 'restart',
  ChangeSignal: '',
  ChangeScript: null,
  Splay: 0,
  Perms: '0644',
  Uid: null,
  Gid: null,
  LeftDelim: '{{',
  RightDelim: '}}',
  Envvars: false,
  VaultGrace: 0,
  Wait: null,
  ErrMissingKey: false,
  Once: false,
}
const SOUP = '{{ with nomadVar "soup" }}{{ .kind }}{{ end }}'
const QUIET_MS = 100

const template = (over: Partial<Template>): Template => ({ ...TEMPLATE, ...over })

async function begin(one: Wanted, before: (harness: AgentHarness) => void = () => {}) {
  const harness = new AgentHarness()
  harness.server.wanted = [one]
  before(harness)
  await harness.start()
  const id = one.allocation.ID
  const state = () => harness.server.lastReport(id)!.TaskStates['main']!
  return {
    harness,
    server: harness.server,
    state,
    // Where the word of its health comes is not this test's matter.
    events: () =>
      state()
        .Events.filter(({ Type }) => Type !== 'Alloc Unhealthy')
        .map(({ Type, DisplayMessage }) => `${Type}: ${DisplayMessage}`),
    types: () => state().Events.map(({ Type }) => Type),
    file: (path: string) => {
      const found = [...harness.written].find(([name]) => name.endsWith(`${id}/main/${path}`))
      return found === undefined ? undefined : Buffer.from(found[1]).toString()
    },
    async change(path: string, items: Readonly<Record<string, string>> | null) {
      harness.server.setVariable(path, items)
      await harness.settle()
      await harness.clock.advance(QUIET_MS)
      await harness.settle()
    },
  }
}

const soupTask = (...templates: readonly Partial<Template>[]) =>
  wanted(1, {}, [mockTask({ Templates: templates.map((over) => template({ EmbeddedTmpl: SOUP, ...over })) })])

describe('templates', () => {
  test('are rendered before the task starts, with its environment', async () => {
    const task = mockTask({
      Env: { MOOD: 'good' },
      Templates: [
        template({ EmbeddedTmpl: '{{ env "MOOD" }} {{ env "NOMAD_TASK_NAME" }}' }),
        template({ DestPath: 'secrets/e', EmbeddedTmpl: '# x\nA=1\nB="two $c"', Envvars: true }),
      ],
    })
    const { harness, file } = await begin(wanted(1, {}, [task]))
    expect(file('local/x')).toBe('good main')
    expect(harness.environmentOf('main')).toMatchObject({ A: '1', B: 'two $c' })
  })

  test('hold the task back until what they read is there, and say what that is', async () => {
    const { harness, change, types, events, file } = await begin(soupTask({}))
    expect(harness.running()).toEqual([])
    await harness.clock.advance(3_100)
    expect(events()).toContain('Template: Missing: nomad.var.block(soup@default.global)')
    await change('soup', { kind: 'leek' })
    expect(types().at(-1)).toBe('Started')
    expect(file('local/x')).toBe('leek')
  })

  test('a task that waits for its templates can be stopped', async () => {
    const { harness, server, state } = await begin(soupTask({}))
    server.publish([])
    await harness.settle()
    expect(state().State).toBe('dead')
    expect(harness.running()).toEqual([])
  })

  test('restart the task when what they read has changed', async () => {
    const { change, events, file, state } = await begin(soupTask({}), ({ server }) => server.setVariable('soup', { kind: 'leek' }))
    await change('soup', { kind: 'fish' })
    expect(file('local/x')).toBe('fish')
    expect(events().slice(3)).toEqual([
      'Restart Signaled: Template with change_mode restart re-rendered',
      'Terminated: Exit Code: 0',
      'Restarting: Task restarting in 0s',
      'Started: Task started by client',
    ])
    expect(state().Restarts).toBe(1)
  })

  test('rewrite the file and nothing else with noop, and what renders the same changes nothing', async () => {
    const { change, types, file } = await begin(
      soupTask({ ChangeMode: 'noop' }, { DestPath: 'local/y', EmbeddedTmpl: '{{ with nomadVar "soup" }}{{ len . }}{{ end }}' }),
      ({ server }) => server.setVariable('soup', { kind: 'leek' }),
    )
    await change('soup', { kind: 'fish' })
    expect(file('local/x')).toBe('fish')
    expect(types().at(-1)).toBe('Started')
  })

  test('signals come once each, before a restart', async () => {
    const signals = { ChangeMode: 'signal', ChangeSignal: 'SIGHUP' }
    const { change, events } = await begin(soupTask(signals, { ...signals, DestPath: 'local/y' }), ({ server }) =>
      server.setVariable('soup', { kind: 'leek' }),
    )
    await change('soup', { kind: 'fish' })
    expect(events().filter((event) => event.startsWith('Signaling'))).toEqual(['Signaling: Template re-rendered'])
  })

  test('a change script runs in the task, and one that fails may end it', async () => {
    const script = { Command: '/bin/x', Args: ['-c', '${NOMAD_TASK_NAME}'], Timeout: SECOND, FailOnError: true, RunOnFirstRender: false }
    const { harness, change, events, state } = await begin(soupTask({ ChangeMode: 'script', ChangeScript: script }), ({ server }) =>
      server.setVariable('soup', { kind: 'leek' }),
    )
    await change('soup', { kind: 'fish' })
    expect(events().at(-1)).toBe('Task hook message: Template successfully ran script /bin/x with arguments: [-c main]. Exit code: 0')
    harness.host.programExitCode = 3
    await change('soup', { kind: 'peas' })
    expect(events().slice(4)).toEqual([
      'Task hook failed: Template ran script /bin/x with arguments [-c main] on change but it exited with code: 3',
      'Killing: Template script failed, task is being killed',
      'Terminated: Exit Code: 0',
      'Killed: Task successfully killed',
    ])
    expect(state()).toMatchObject({ State: 'dead', Failed: true })
  })

  test('the splay is waited for, and changes within it are carried out together', async () => {
    const { harness, change, types, state } = await begin(soupTask({ Splay: 60 * SECOND }), ({ server }) =>
      server.setVariable('soup', { kind: 'leek' }),
    )
    await change('soup', { kind: 'fish' })
    await change('soup', { kind: 'peas' })
    expect(types().at(-1)).toBe('Started')
    await harness.clock.advance(60_000)
    expect(state().Restarts).toBe(1)
  })

  test('a template that is wrong fails the task for good, with its place', async () => {
    const { events, state } = await begin(soupTask({ EmbeddedTmpl: 'a\n{{ this }}' }))
    expect(events().at(-1)).toBe('Killing: Template failed: (dynamic): parse: template: :2: function "this" not defined')
    expect(state()).toMatchObject({ State: 'dead', Failed: true, Restarts: 0 })
    const failing = await begin(soupTask({ EmbeddedTmpl: '{{ parseInt "x" }}' }))
    expect(failing.events().at(-1)).toMatch(/^Killing: Template failed: \(dynamic\): execute: template: :1:3: error calling parseInt/)
  })

  describe('that read an encrypted value', () => {
    const place = ['default', 'nomad/jobs', 'kind'].map(encodeURIComponent).join(':')
    const header = Buffer.from(`age-encryption.org/v1\n-> drover/variable ${place}\n\n--- x\n`).toString('base64')
    const sealed = { kind: `-----BEGIN AGE ENCRYPTED FILE-----\n${header}\n-----END AGE ENCRYPTED FILE-----\n` }
    const read = (rest: string) => `{{ with nomadVar "nomad/jobs" }}{{ .kind${rest} }}{{ end }}`
    const beginSealed = (over: Partial<Template>, opens = true) =>
      begin(soupTask({ EmbeddedTmpl: read(''), ...over }), (world) => {
        world.server.setVariable('nomad/jobs', sealed)
        const open = async () => (opens ? ({ kind: 'opened', text: 'hunter2' } as const) : ({ kind: 'refused', reason: 'no key' } as const))
        world.hookPorts = { ...world.hookPorts, values: { open } }
      })

    test('are rendered below secrets, and nowhere else', async () => {
      for (const DestPath of ['secrets/x', '/secrets/x', '${NOMAD_SECRETS_DIR}/x']) {
        const { state } = await beginSealed({ DestPath })
        expect(state().State, DestPath).toBe('running')
      }
      for (const DestPath of ['local/x', 'secrets', 'secrets/../local/x', 'local/../secrets/x', '../alloc/x', 'mysecrets/x']) {
        const { harness, events, state } = await beginSealed({ DestPath })
        expect(events().at(-1), DestPath).toBe(
          `Killing: Template failed: ${DestPath} would hold an encrypted value for all to read: let its destination be below secrets/`,
        )
        expect(state()).toMatchObject({ State: 'dead', Failed: true })
        expect([...harness.written.values()].map(String).join()).not.toContain('hunter2')
      }
    })

    test('fail without quoting it', async () => {
      const { harness, events } = await beginSealed({ DestPath: 'secrets/x', EmbeddedTmpl: read(' | toUpper | parseInt') })
      expect(events().at(-1)).toMatch(
        /^Killing: Template failed: \(dynamic\): execute: template: :1:\d+: what went wrong is not told, since the template has read an encrypted value$/,
      )
      expect(JSON.stringify(harness.server.reports)).not.toMatch(/hunter2/i)
    })

    test('say why it is not to be had, while the task waits and while it runs', async () => {
      const { harness, events, state } = await beginSealed({ DestPath: 'secrets/x' }, false)
      await harness.clock.advance(5_000)
      const why = 'Template: Missing: nomad.var.block(nomad/jobs@default.global) (default/nomad/jobs#kind cannot be opened: no key)'
      expect(events()).toContain(why)
      expect(state().State).toBe('pending')
      const running = await beginSealed({ DestPath: 'secrets/x' })
      running.harness.hookPorts.values.open = async () => ({ kind: 'refused', reason: 'no key' })
      await running.change('nomad/jobs', { ...sealed, more: 'x' })
      expect(running.events().at(-1)).toBe(why)
      expect(running.state().State).toBe('running')
      expect(running.file('secrets/x')).toBe('hunter2')
    })
  })

  test('after a restart of the agent a change that was missed is carried out', async () => {
    const { harness, server, state, file } = await begin(soupTask({}), (world) => world.server.setVariable('soup', { kind: 'leek' }))
    await harness.kill()
    server.setVariable('soup', { kind: 'fish' })
    await harness.start()
    await harness.clock.advance(QUIET_MS)
    await harness.settle()
    expect(file('local/x')).toBe('fish')
    expect(state().Restarts).toBe(1)
  })
})

test('lines of a file are variables, with quotes, comments and values over lines', () => {
  const text = 'A=1\nexport B = two words # no\n# C=3\nD="a \\"b\\"\\nc"\nE=\'raw \\n $x\'\nF="one\ntwo"\nG=\nnot a line\nH: yaml'
  expect(readVariables(text)).toEqual({ A: '1', B: 'two words', D: 'a "b"\nc', E: 'raw \\n $x', F: 'one\ntwo', G: '', H: 'yaml' })
})

test('a dispatched job finds its payload in a file', async () => {
  const one = wanted(1, {}, [mockTask({ DispatchPayload: { File: 'input' } })])
  const { file } = await begin({ ...one, job: { ...one.job, Payload: btoa('text') } })
  expect(file('local/input')).toBe('text')
})

test('a volume that the group does not have is told', async () => {
  const mount = { Volume: 'data', Destination: 'local/data', ReadOnly: false, PropagationMode: '', SELinuxLabel: '' }
  const { events } = await begin(wanted(1, {}, [mockTask({ VolumeMounts: [mount] })]))
  expect(events()).toContain('Setup Failure: volume "data" is not a volume of group "web"')
})

/** One that was given the device `a`, on a host that has others beside it. */
function withDevice(id: string): Wanted {
  const asked = { Name: 'acme/gpu', Count: 1, Constraints: null, Affinities: null }
  const one = wanted(1, {}, [mockTask({ Resources: { ...mockTask().Resources, Devices: [asked] } })])
  const { Tasks, ...rest } = one.allocation.AllocatedResources
  const Devices = [{ Vendor: 'acme', Type: 'gpu', Name: 'm1', DeviceIDs: [id] }]
  return { ...one, allocation: { ...one.allocation, AllocatedResources: { ...rest, Tasks: { main: { ...Tasks['main']!, Devices } } } } }
}

function declareDevices(harness: AgentHarness): void {
  const gpu = { vendor: 'acme', type: 'gpu', model: 'm1', instances: { a: [], b: [] }, shared_nodes: [], env: {}, attributes: {} }
  harness.hookPorts = { ...harness.hookPorts, devices: new DeclaredDevices([{ ...gpu, ids_variable: 'ACME_IDS' }]) }
}

test('a task is told which devices are its own', async () => {
  const { harness } = await begin(withDevice('a'), declareDevices)
  expect(harness.environmentOf('main')).toMatchObject({ ACME_IDS: 'a' })
})

test('a task whose device its host has no more fails, and says so', async () => {
  const { events, state } = await begin(withDevice('z'), declareDevices)
  expect(events()).toContain('Setup Failure: device acme/gpu/m1 z is not declared on this host any more')
  expect(state().Failed).toBe(true)
})
