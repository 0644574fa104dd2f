/** `drover secret` on a scratch repository, with somebody else at the keyboard. */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runProgram } from '../../src/cli/index.js'
import { secretCommand } from '../../src/cli/secret.js'
import { LocalSecrets } from '../../src/main/secrets.js'
import { captureIo } from '../cli/captured-io.js'
import { ScratchRepository } from '../scratch-repository.js'

const FILE = 'vars/default/nomad/jobs/web.yaml'
let repository: ScratchRepository
let recipient = ''
/** What is typed, and what the editor makes of a text. */
let typed = 'hunter2'
let env: Readonly<Record<string, string>> = {}
let edit: (text: string) => string = (text) => text

beforeEach(async () => {
  repository = new ScratchRepository()
  recipient = (await drover('keygen')).out.trim()
  write({ 'vars/_recipients.yaml': `ann: ${recipient}\n`, [FILE]: '# the app\nport: 0080 # odd\nuser: ann\n' })
})
afterEach(() => {
  env = {}
  repository.remove()
  for (const name of ['key', 'bob']) rmSync(keyFile(name), { force: true })
})

const keyFile = (name: string) => join(repository.folder, '..', `${repository.folder.split('/').at(-1)}-${name}`)

async function drover(...args: readonly string[]) {
  const { io, said } = captureIo({ env })
  const input = { readValue: async () => typed, edit: async (text: string) => edit(text) }
  const command = secretCommand(async (file) => new LocalSecrets(repository.folder, file ?? keyFile('key'), input))
  const code = await runProgram(['secret', ...args], io, { version: '0.1.0', commands: [command] })
  return { code, ...said }
}

const write = (files: Readonly<Record<string, string>>) => repository.commit(files)
const text = (path = FILE) => readFileSync(join(repository.folder, path), 'utf8')

test('a key is made for its owner alone, and never in the place of another', async () => {
  expect(recipient).toMatch(/^age1[a-z0-9]+$/)
  expect(statSync(keyFile('key')).mode & 0o777).toBe(0o600)
  const again = await drover('keygen')
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('is there already')])
})

test('it is made where every other command looks for it', async () => {
  env = { DROVER_IDENTITY_FILE: keyFile('bob') }
  const { out } = await drover('keygen')
  expect(readFileSync(keyFile('bob'), 'utf8')).toContain(out.trim())
})

describe('set', () => {
  test('encrypts a value, and leaves the rest of the file as it is', async () => {
    expect(await drover('set', 'nomad/jobs/web', 'password')).toEqual({
      code: 0,
      out: '',
      err: `${FILE}: "password" is encrypted; commit the file\n`,
    })
    expect(text()).toMatch(/^# the app\nport: 0080 # odd\nuser: ann\npassword: \|\n {2}-----BEGIN AGE ENCRYPTED FILE-----\n/)
    expect(text()).not.toContain('hunter2')
    expect(await drover('check')).toMatchObject({ code: 0, err: '1 encrypted value sound and opened with the key here\n' })
  })

  test('makes the file where there is none, and writes plain values where that is asked', async () => {
    typed = '0080'
    expect((await drover('set', '-n', 'team', 'kv/app', 'port', '--plain')).code).toBe(0)
    expect(text('vars/team/kv/app.yaml')).toBe('port: 0080\n')
    typed = 'hunter2'
  })

  test('changes nothing where the place, the name or the recipients are wrong', async () => {
    expect((await drover('set', '../x', 'a')).err).toContain('is no path for a variable')
    expect((await drover('set', '-n', '..', 'x', 'a')).err).toContain('is no name for a namespace')
    expect((await drover('set', 'nomad/jobs/web', 'a.b')).err).toContain('"a.b" is no name for an item')
    write({ 'vars/_recipients.yaml': 'ann: age1qqqqqqqqqqqqqqqqqqqqqqqqqqqq\n' })
    expect((await drover('set', 'nomad/jobs/web', 'a')).err).toContain("is no public key of age's")
    write({ 'vars/_recipients.yaml': 'ann: [1]\n' })
    expect((await drover('set', 'nomad/jobs/web', 'a')).err).toContain(`vars/_recipients.yaml:1: The key of "ann" is none of age's`)
    repository.commit({ 'vars/_recipients.yaml': null })
    expect((await drover('set', 'nomad/jobs/web', 'a')).err).toContain('there is nobody to encrypt for: write vars/_recipients.yaml')
    expect(text()).toBe('# the app\nport: 0080 # odd\nuser: ann\n')
    expect(existsSync(join(repository.folder, 'vars/x.yaml'))).toBe(false)
  })
})

describe('edit', () => {
  beforeEach(() => drover('set', 'nomad/jobs/web', 'password'))

  test('shows plain values, and encrypts what is marked and has changed', async () => {
    const before = text()
    let shown = ''
    edit = (given) => {
      shown = given
      return `${given.replace('user: ann', 'user: !secret ann')}token: !secret |\n  a\n  b\n`
    }
    const { code, err } = await drover('edit', 'nomad/jobs/web')
    expect(shown).toBe('# the app\nport: 0080 # odd\nuser: ann\npassword: !secret "hunter2"\n')
    expect([code, err]).toEqual([0, `${FILE}: user, token encrypted anew; commit the file\n`])
    expect(text()).toContain(before.slice(before.indexOf('password:')).trimEnd())
    expect(text()).not.toMatch(/hunter2|!secret|user: ann/)
    edit = (given) => {
      shown = given
      return given
    }
    expect((await drover('edit', 'nomad/jobs/web')).err).toBe('nothing was changed\n')
    expect(shown).toBe('# the app\nport: 0080 # odd\nuser: !secret "ann"\npassword: !secret "hunter2"\ntoken: !secret |\n  a\n  b\n')
  })

  test('makes a value plain whose mark was taken away', async () => {
    edit = (given) => given.replace('!secret "hunter2"', 'open')
    expect((await drover('edit', 'nomad/jobs/web')).code).toBe(0)
    expect(text()).toBe('# the app\nport: 0080 # odd\nuser: ann\npassword: open\n')
  })

  test('changes nothing for a text that is none, or without the key', async () => {
    const before = text()
    edit = () => 'a: [\n'
    expect(await drover('edit', 'nomad/jobs/web')).toMatchObject({ code: 1, err: expect.stringContaining('what was edited is no mapping') })
    edit = () => 'a: {b: 1}\n'
    expect(await drover('edit', 'nomad/jobs/web')).toMatchObject({ code: 1, err: expect.stringContaining('The value of "a" is no text') })
    expect(await drover('edit', 'nomad/jobs/web', '--identity', keyFile('none'))).toMatchObject({
      code: 1,
      err: expect.stringMatching(/"password" cannot be opened: there is no key here: the key file .* is not there/),
    })
    expect(text()).toBe(before)
  })
})

describe('rotate and check', () => {
  test('a new recipient is told of until everything is encrypted for it, too', async () => {
    await drover('set', 'nomad/jobs/web', 'password')
    const bob = (await drover('keygen', keyFile('bob'))).out.trim()
    write({ 'vars/_recipients.yaml': `ann: ${recipient}\nbob: ${bob}\n` })
    expect(await drover('check')).toMatchObject({
      code: 1,
      err: `${FILE}: "password" is not encrypted for bob: encrypt it anew with drover secret rotate\ndrover: 1 problem with 1 encrypted value\n`,
    })
    expect((await drover('check', '--identity', keyFile('bob'))).err).toContain(
      '"password" cannot be opened: it is encrypted for nobody here',
    )
    expect(await drover('rotate', 'vars/default')).toMatchObject({ code: 0, out: `${FILE}  1 value\n` })
    expect((await drover('check', '--identity', keyFile('bob'))).code).toBe(0)
    expect((await drover('check', '--identity', keyFile('none'))).err).toContain('sound by what their headers say')
    // Whoever is taken out does not open what is encrypted from then on.
    write({ 'vars/_recipients.yaml': `bob: ${bob}\n` })
    expect((await drover('rotate', '--identity', keyFile('bob'))).code).toBe(0)
    expect((await drover('check')).code).toBe(1)
  })

  test('a value that was copied is refused, and nothing is written then', async () => {
    await drover('set', 'nomad/jobs/web', 'password')
    const copy = 'vars/default/nomad/jobs/evil.yaml'
    write({ [copy]: text() })
    const before = text()
    const moved = `${copy}: "password" was encrypted for default/nomad/jobs/web#password`
    expect((await drover('rotate')).err).toContain(moved)
    expect(text()).toBe(before)
    expect(await drover('check')).toMatchObject({
      code: 1,
      err: expect.stringContaining(`${copy}:4: The value of "password" was encrypted for`),
    })
    expect((await drover('check', FILE)).code).toBe(0)
    expect((await drover('check', 'vars/none')).err).toContain('vars/none is not there')
  })
})
