import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GitSignatures } from '../../src/adapters/git/commit-signatures.js'
import { ScratchRepository } from '../scratch-repository.js'
import { commitSigned, makeGpgSigner, makeSshSigner, sshSigning, whyNoGpg, whyNoSshKeys } from './signing.js'

let folder: string
let repository: ScratchRepository
let undo: (() => unknown)[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-signers-'))
  repository = new ScratchRepository()
  undo = [() => repository.remove(), () => rmSync(folder, { recursive: true, force: true })]
})
afterEach(() => {
  for (const step of undo.reverse()) step()
})

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

async function read(keys: { allowedSignersFile?: string; gpgKeysFile?: string }, ...ids: readonly string[]) {
  const signatures = new GitSignatures(repository.folder, { ...keys, gpgHome: join(folder, 'keyring') })
  await signatures.prepare()
  const facts = await signatures.read(ids)
  return ids.map((id) => facts.get(id))
}

/** The same commit with another message and the signature that was made for it before. */
function forge(id: string): string {
  const text = repository.git('cat-file', 'commit', id)
  const file = join(folder, 'forged')
  writeFileSync(file, `${text}, and more\n`)
  return repository.git('hash-object', '-t', 'commit', '-w', file)
}

describe.skipIf(whyNoSshKeys !== undefined)(`ssh ${whyNoSshKeys ?? ''}`, () => {
  test('a signature by a named key is good, and nothing else is', async () => {
    const [ann, eve] = [makeSshSigner(folder, 'ann'), makeSshSigner(folder, 'eve')]
    const allowedSignersFile = write('allowed', `${ann.line}\n`)
    const signed = commitSigned(repository, sshSigning(ann.keyFile))
    const strange = commitSigned(repository, sshSigning(eve.keyFile))
    const unsigned = repository.commit({})
    expect(await read({ allowedSignersFile }, signed, strange, unsigned, forge(signed))).toEqual([
      { kind: 'good', signer: 'ann@example.org' },
      { kind: 'unknown', key: expect.stringMatching(/^SHA256:/) },
      { kind: 'none' },
      { kind: 'bad' },
    ])
  })

  test('a key counts for as long as its line says, by the time of the commit', async () => {
    const ann = makeSshSigner(folder, 'ann')
    const [principal, ...rest] = ann.line.split(' ')
    const line = (option: string) => `${principal} ${option},${rest.join(' ')}\n`
    const signed = commitSigned(repository, sshSigning(ann.keyFile))
    const facts = async (option: string) => read({ allowedSignersFile: write('allowed', line(option)) }, signed)
    expect(await facts('valid-before="20200101"')).toEqual([{ kind: 'expired', key: expect.stringMatching(/^SHA256:/) }])
    expect(await facts('valid-before="20990101"')).toMatchObject([{ kind: 'good' }])
    expect(await facts('valid-after="20200101"')).toMatchObject([{ kind: 'good' }])
    // That of somebody else does not make a stranger's key one that has expired.
    const strange = commitSigned(repository, sshSigning(makeSshSigner(folder, 'eve').keyFile))
    expect(await read({ allowedSignersFile: write('allowed', line('valid-before="20200101"')) }, strange)).toMatchObject([
      { kind: 'unknown' },
    ])
  })

  test('keys and programs that the repository or the user would name do not count', async () => {
    const [ann, eve] = [makeSshSigner(folder, 'ann'), makeSshSigner(folder, 'eve')]
    const allowedSignersFile = write('allowed', `${ann.line}\n`)
    const strange = commitSigned(repository, sshSigning(eve.keyFile))
    const unsigned = repository.commit({})
    repository.git('config', 'gpg.ssh.allowedSignersFile', write('others', `${eve.line}\n`))
    repository.git('config', 'gpg.ssh.program', '/bin/true')
    repository.git('config', 'log.showSignature', 'true')
    expect(await read({ allowedSignersFile }, strange, unsigned)).toMatchObject([{ kind: 'unknown' }, { kind: 'none' }])
  })

  test('a commit put in the place of another does not lend it its signature', async () => {
    const ann = makeSshSigner(folder, 'ann')
    const unsigned = repository.commit({ a: 'a' })
    const signed = commitSigned(repository, sshSigning(ann.keyFile))
    repository.git('replace', unsigned, signed)
    expect(await read({ allowedSignersFile: write('allowed', ann.line) }, unsigned)).toEqual([{ kind: 'none' }])
  })

  test('who is believed is told anew when the file changes, and a file that is gone is no list of nobody', async () => {
    const ann = makeSshSigner(folder, 'ann')
    const signed = commitSigned(repository, sshSigning(ann.keyFile))
    const allowedSignersFile = write('allowed', '')
    const signatures = new GitSignatures(repository.folder, { allowedSignersFile, gpgHome: join(folder, 'keyring') })
    const before = await signatures.prepare()
    expect((await signatures.read([signed])).get(signed)).toMatchObject({ kind: 'unknown' })
    write('allowed', ann.line)
    expect(await signatures.prepare()).not.toBe(before)
    expect((await signatures.read([signed])).get(signed)).toMatchObject({ kind: 'good' })
    rmSync(allowedSignersFile)
    await expect(signatures.prepare()).rejects.toThrow(/by which commits are believed, cannot be read/)
  })
})

describe.skipIf(whyNoGpg !== undefined)(`OpenPGP ${whyNoGpg ?? ''}`, () => {
  test('a signature by a key of the file is good, and its signer is the fingerprint', async () => {
    const [ann, eve] = [makeGpgSigner(folder, 'ann'), makeGpgSigner(folder, 'eve')]
    undo.push(ann.stop, eve.stop)
    const gpgKeysFile = write('keys.asc', ann.publicKey())
    const sign = (home: string, fingerprint: string) => {
      const before = process.env['GNUPGHOME']
      process.env['GNUPGHOME'] = home
      try {
        return commitSigned(repository, ['-c', `user.signingkey=${fingerprint}`])
      } finally {
        if (before === undefined) delete process.env['GNUPGHOME']
        else process.env['GNUPGHOME'] = before
      }
    }
    const [signed, strange] = [sign(ann.home, ann.fingerprint), sign(eve.home, eve.fingerprint)]
    expect(await read({ gpgKeysFile }, signed, strange, forge(signed))).toEqual([
      { kind: 'good', signer: ann.fingerprint },
      { kind: 'unknown', key: expect.stringMatching(/^[0-9A-F]{16,40}$/) },
      { kind: 'bad' },
    ])
    await expect(read({ gpgKeysFile: write('keys.asc', 'no keys') }, signed)).rejects.toThrow(/could not be read by gpg/)
  })
})

describe('what a commit changes', () => {
  const touched = (id: string) => new GitSignatures(repository.folder, { gpgHome: join(folder, 'keyring') }).touched(id)

  test('of the first commit everything, of another what differs, also what was removed or moved', async () => {
    const first = repository.commit({ 'jobs/a': 'a', 'jobs/b': 'b' })
    expect(await touched(first)).toEqual(['jobs/a', 'jobs/b'])
    expect(await touched(repository.commit({ 'jobs/a': null, 'jobs/ü': 'a' }))).toEqual(['jobs/a', 'jobs/ü'])
  })

  test('a merge changes nothing that one side alone has changed', async () => {
    repository.commit({ 'jobs/a': 'a', 'jobs/b': 'b' })
    repository.git('checkout', '-q', '-b', 'side')
    repository.commit({ 'jobs/b': 'of the side' })
    repository.git('checkout', '-q', 'main')
    repository.commit({ 'jobs/a': 'of main' })
    repository.git('merge', '-q', '--no-edit', 'side')
    expect(await touched(repository.git('rev-parse', 'HEAD'))).toEqual([])
  })

  test('a merge that takes back what a side has changed, or adds to it, changes it', async () => {
    repository.commit({ 'jobs/a': 'a', 'jobs/b': 'b' })
    repository.git('checkout', '-q', '-b', 'side')
    repository.commit({ 'jobs/b': 'of the side' })
    repository.git('checkout', '-q', 'main')
    repository.commit({ 'jobs/a': 'of main' })
    repository.git('merge', '-q', '-s', 'ours', '--no-edit', 'side')
    expect(await touched(repository.git('rev-parse', 'HEAD'))).toEqual(['jobs/b'])
    repository.git('reset', '-q', '--hard', 'HEAD^')
    repository.git('merge', '-q', '--no-commit', '--no-ff', 'side')
    const id = repository.commit({ 'jobs/evil': 'new' })
    expect(await touched(id)).toEqual(['jobs/evil'])
  })
})
