/** People with keys of their own, for repositories whose commits are signed. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasProgram } from '../has-program.js'
import type { ScratchRepository } from '../scratch-repository.js'

export const whyNoSshKeys = hasProgram('ssh-keygen') ? undefined : 'skipped: no ssh-keygen is installed'
export const whyNoGpg = hasProgram('gpg') ? undefined : 'skipped: no gpg is installed'

/** An ssh key pair. @returns the path of the private half, and what an allowed_signers file says of it */
export function makeSshSigner(folder: string, name: string): { readonly keyFile: string; readonly line: string } {
  const keyFile = join(folder, name)
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', keyFile])
  const [type = '', key = ''] = readFileSync(`${keyFile}.pub`, 'utf8').split(' ')
  return { keyFile, line: `${name}@example.org namespaces="git" ${type} ${key}` }
}

/** What `git` of the repository is to sign with. */
export const sshSigning = (keyFile: string): readonly string[] => ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${keyFile}`]

/** An OpenPGP key in a keyring of its own; `stop` ends the program that holds it. */
export function makeGpgSigner(folder: string, name: string) {
  const home = join(folder, `gpg-${name}`)
  mkdirSync(home, { mode: 0o700 })
  const env = { ...process.env, GNUPGHOME: home }
  const gpg = (...words: readonly string[]) =>
    execFileSync('gpg', ['--batch', '--quiet', ...words], { env, encoding: 'utf8', stdio: 'pipe' })
  gpg('--passphrase', '', '--quick-gen-key', `${name} <${name}@example.org>`, 'ed25519', 'sign', 'never')
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(gpg('--with-colons', '--list-keys'))![1]!
  return {
    home,
    fingerprint,
    publicKey: () => gpg('--armor', '--export'),
    stop: () => execFileSync('gpgconf', ['--homedir', home, '--kill', 'all'], { stdio: 'pipe' }),
  }
}

/** An empty commit, or one with what was written before, signed as `flags` say. @returns its id */
export function commitSigned(repository: ScratchRepository, flags: readonly string[], message = 'signed'): string {
  repository.git('add', '-A')
  repository.git(...flags, 'commit', '-q', '--allow-empty', '-S', '-m', message)
  return repository.git('rev-parse', 'HEAD')
}
