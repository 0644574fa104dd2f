/** Values that only their recipients open, at the place that they were made for. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { encryptValue, makeIdentity, ValueCipher } from '../../src/adapters/age/index.js'
import { fingerprintOf } from '../../src/controller/index.js'
import { isEncrypted, readEncryptedValue } from '../../src/domain/index.js'
import { hasProgram } from '../has-program.js'

const folder = mkdtempSync(join(tmpdir(), 'drover-age-'))
afterAll(() => rmSync(folder, { recursive: true }))

const PLACE = { namespace: 'default', path: 'nomad/jobs/web', name: 'pass:wörd' }
let files = 0

function keyFile(text: string, mode = 0o600): string {
  const path = join(folder, `key-${++files}`)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

async function key() {
  const { identity, recipient } = await makeIdentity()
  return { identity, recipient, file: keyFile(`# made for a test\n\n${identity}\n`) }
}

describe('an encrypted value', () => {
  test('is opened by each of its recipients, as it was', async () => {
    const [one, other] = [await key(), await key()]
    const value = '\ufeffline one\nline two \u{1f511}\n'
    const text = await encryptValue(value, PLACE, [one.recipient, other.recipient])
    expect(isEncrypted(text)).toBe(true)
    for (const { file } of [one, other]) expect(await new ValueCipher([file]).open(text)).toEqual({ kind: 'opened', text: value })
  })

  test('says for all to read where it belongs and whom it is for', async () => {
    const { recipient } = await key()
    const text = await encryptValue('x', PLACE, [recipient])
    expect(readEncryptedValue(`\n${text.replaceAll('\n', '\r\n')}`)).toEqual({ place: PLACE, fingerprints: [fingerprintOf(recipient)] })
  })

  test('is not opened when what it says of its place was changed', async () => {
    const { recipient, file } = await key()
    const text = await encryptValue('x', PLACE, [recipient])
    const bytes = Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64')
    const moved = Buffer.from(bytes.toString('latin1').replace('default:', 'anybody:'), 'latin1')
    const lines = moved.toString('base64').match(/.{1,64}/g)!
    const forged = ['-----BEGIN AGE ENCRYPTED FILE-----', ...lines, '-----END AGE ENCRYPTED FILE-----', ''].join('\n')
    expect(readEncryptedValue(forged)).toMatchObject({ place: { namespace: 'anybody' } })
    expect(await new ValueCipher([file]).open(forged)).toEqual({
      kind: 'refused',
      reason: 'it is damaged, or was changed since it was encrypted: encrypt it anew',
    })
  })

  test('for others is refused with the key that should be added', async () => {
    const [one, other] = [await key(), await key()]
    const opened = await new ValueCipher([one.file]).open(await encryptValue('x', PLACE, [other.recipient]))
    expect(opened).toEqual({
      kind: 'refused',
      reason: `it is encrypted for nobody here: add ${one.recipient} to vars/_recipients.yaml and run drover secret rotate`,
    })
  })

  test.each([
    ['', 'it is no whole text as age makes it'],
    ['-----BEGIN AGE ENCRYPTED FILE-----\n*\n-----END AGE ENCRYPTED FILE-----', 'it is no whole text as age makes it'],
    [armored('age-encryption.org/v2\n-> drover/variable a:b:c\n\n--- x\n'), 'it is no whole text as age makes it'],
    [armored('age-encryption.org/v1\n-> X25519 abc\nabc\n--- x\n'), 'it does not say which variable it is for'],
    [armored('age-encryption.org/v1\n-> drover/variable a:b\n\n--- x\n'), 'it does not say which variable it is for'],
    [armored('age-encryption.org/v1\n-> drover/variable a:b:%E0%A4%A\n\n--- x\n'), 'it does not say which variable it is for'],
    [
      armored('age-encryption.org/v1\n-> drover/variable a:b:c\n\n-> drover/variable a:b:d\n\n--- x\n'),
      'it does not say which variable it is for',
    ],
  ])('that is none is told with what is wrong: %j', (text, mistake) => {
    expect(readEncryptedValue(text)).toEqual({ mistake })
  })

  test.skipIf(!hasProgram('age'))("is opened by age's own program, too", async () => {
    const { recipient, file } = await key()
    const text = await encryptValue('for everybody', PLACE, [recipient])
    expect(execFileSync('age', ['--decrypt', '--identity', file], { input: text, encoding: 'utf8' })).toBe('for everybody')
  })
})

function armored(header: string): string {
  return `-----BEGIN AGE ENCRYPTED FILE-----\n${Buffer.from(header).toString('base64')}\n-----END AGE ENCRYPTED FILE-----\n`
}

describe('a file of keys', () => {
  const openWith = async (...paths: readonly string[]) => {
    const { recipient } = await makeIdentity()
    const opened = await new ValueCipher(paths).open(await encryptValue('x', PLACE, [recipient]))
    return opened.kind === 'refused' ? opened.reason : opened.kind
  }

  test('that is missing, open to others or holds something else is told of without its content', async () => {
    const { identity } = await makeIdentity()
    const none = 'there is no key here: name a file with one in secrets.identity_files of the agent'
    expect(await openWith()).toBe(none)
    expect(await openWith(join(folder, 'away'))).toBe(`there is no key here: the key file ${join(folder, 'away')} is not there`)
    const open = keyFile(identity, 0o640)
    expect(await openWith(open)).toBe(`there is no key here: the key file ${open} may be read by others: chmod 600 ${open}`)
    const wrong = keyFile(`${identity}\nhunter2\n`)
    expect(await openWith(wrong)).toBe(`there is no key here: line 2 of the key file ${wrong} is no secret key of age's`)
    const empty = keyFile('# nothing\n')
    expect(await openWith(empty)).toBe(`there is no key here: the key file ${empty} has no key`)
    const damaged = keyFile(`${identity.slice(0, -1)}${identity.endsWith('Q') ? 'P' : 'Q'}\n`)
    expect(await openWith(damaged)).toBe(`a key in ${damaged} is damaged`)
  })

  test('is read anew each time', async () => {
    const { identity, recipient } = await makeIdentity()
    const path = keyFile('')
    const cipher = new ValueCipher([path])
    const text = await encryptValue('x', PLACE, [recipient])
    expect((await cipher.open(text)).kind).toBe('refused')
    writeFileSync(path, identity)
    expect(await cipher.open(text)).toEqual({ kind: 'opened', text: 'x' })
  })
})

test('a recipient that is none is refused by its key', async () => {
  await expect(encryptValue('x', PLACE, ['age1nobody'])).rejects.toThrow("age1nobody is no public key of age's")
})
