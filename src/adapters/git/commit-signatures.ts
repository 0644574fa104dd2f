/**
 * Signatures of commits, verified by git itself with the keys that the configuration names and nothing else: neither the repository's nor
 * the user's settings, keyrings or programs have a say. Source: git's documentation, "gitformat-signature" and "pretty formats" (%G?).
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { CommitSignatures, SignatureFact } from '../../controller/index.js'
import { OrchestratorError } from '../../domain/index.js'
import { endingKeys } from './allowed-signers.js'
import { runGit } from './git-command.js'

const run = promisify(execFile)

export interface SignatureKeys {
  /** Principals and their ssh keys, as ssh-keygen reads them ("ALLOWED SIGNERS"). */
  readonly allowedSignersFile?: string
  /** OpenPGP public keys, armored or not. */
  readonly gpgKeysFile?: string
  /** For a keyring of this server's own, made from that file. */
  readonly gpgHome: string
}

const COMMITS_AT_ONCE = 200
const FORMAT = '--format=%H%x00%G?%x00%GS%x00%GP%x00%GF%x00%GK%x00%x01'
const EMPTY_TREE_WORDS = ['hash-object', '-t', 'tree', '/dev/null']

export class GitSignatures implements CommitSignatures {
  readonly #repository: string
  readonly #keys: SignatureKeys
  #prepared = ''

  constructor(repository: string, keys: SignatureKeys) {
    this.#repository = repository
    this.#keys = keys
  }

  async prepare(): Promise<string> {
    const { allowedSignersFile, gpgKeysFile } = this.#keys
    const hash = createHash('sha256')
    for (const file of [allowedSignersFile, gpgKeysFile]) hash.update(file === undefined ? '-' : readKeys(file)).update('\0')
    const now = hash.digest('hex')
    if (now !== this.#prepared && gpgKeysFile !== undefined) await this.#importKeys(gpgKeysFile)
    this.#prepared = now
    return now
  }

  async read(ids: readonly string[]): Promise<ReadonlyMap<string, SignatureFact>> {
    const facts = new Map<string, SignatureFact>()
    const ending = this.#endingKeys()
    for (let from = 0; from < ids.length; from += COMMITS_AT_ONCE) {
      const batch = ids.slice(from, from + COMMITS_AT_ONCE)
      const { stdout } = await this.#git(['log', '--no-walk=unsorted', '--no-show-signature', FORMAT, ...batch, '--'])
      for (const part of stdout.split('\x01\n')) if (part !== '') facts.set(...parseFact(part, ending))
    }
    const missing = ids.find((id) => !facts.has(id))
    if (missing !== undefined)
      throw new OrchestratorError('GIT_SIGNATURE', `the signature of commit ${missing} could not be read`, { missing })
    return facts
  }

  async touched(id: string): Promise<readonly string[]> {
    const { stdout } = await this.#git(['rev-list', '--parents', '--max-count=1', id, '--'])
    const parents = stdout.trim().split(' ').slice(1)
    if (parents.length === 0) {
      const empty = (await this.#git(EMPTY_TREE_WORDS)).stdout.trim()
      return this.#changed(empty, id)
    }
    if (parents.length === 1) return this.#changed(parents[0]!, id)
    const perParent = await Promise.all(parents.map(async (parent) => new Set(await this.#changed(parent, id))))
    const all = [...new Set(perParent.flatMap((changed) => [...changed]))]
    const sides = parents.length === 2 ? await this.#changedBySides(parents[0]!, parents[1]!) : undefined
    // As one side has it, it is as a merge makes it, unless the other side has changed it.
    return all.filter((path) => {
      const differing = perParent.flatMap((changed, at) => (changed.has(path) ? [at] : []))
      return sides === undefined || differing.length > 1 || sides[differing[0]!]!.has(path)
    })
  }

  /** What each side has changed since both were one. Undefined for histories that were crossed, or have nothing in common. */
  async #changedBySides(ours: string, theirs: string): Promise<readonly ReadonlySet<string>[] | undefined> {
    const bases = await this.#basesOf(ours, theirs)
    if (bases.length !== 1) return undefined
    return Promise.all([ours, theirs].map(async (side) => new Set(await this.#changed(bases[0]!, side))))
  }

  async #basesOf(ours: string, theirs: string): Promise<readonly string[]> {
    try {
      const { stdout } = await this.#git(['merge-base', '--all', ours, theirs])
      return stdout.split('\n').filter((line) => line !== '')
    } catch (error) {
      // git's word for "none".
      if ((error as { code?: unknown }).code === 1) return []
      throw error
    }
  }

  async #changed(from: string, to: string): Promise<readonly string[]> {
    const { stdout } = await this.#git(['diff-tree', '-r', '-z', '--name-only', '--no-renames', '--no-commit-id', from, to, '--'])
    return stdout.split('\0').filter((path) => path !== '')
  }

  /** To git a key whose time is over is one that nobody has named. */
  #endingKeys(): ReadonlySet<string> {
    const { allowedSignersFile } = this.#keys
    return allowedSignersFile === undefined ? new Set() : endingKeys(readKeys(allowedSignersFile).toString('utf8'))
  }

  #git(words: readonly string[]) {
    const { allowedSignersFile, gpgHome } = this.#keys
    const settings = [
      'gpg.program=gpg',
      'gpg.openpgp.program=gpg',
      'gpg.x509.program=/bin/false',
      'gpg.ssh.program=ssh-keygen',
      `gpg.ssh.allowedSignersFile=${allowedSignersFile ?? '/dev/null'}`,
      'gpg.ssh.revocationFile=',
      'gpg.minTrustLevel=undefined',
      'log.showSignature=false',
    ]
    const environment = { GNUPGHOME: gpgHome, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }
    return runGit(this.#repository, [...settings.flatMap((setting) => ['-c', setting]), ...words], environment)
  }

  async #importKeys(file: string): Promise<void> {
    const { gpgHome } = this.#keys
    rmSync(gpgHome, { recursive: true, force: true })
    mkdirSync(gpgHome, { recursive: true, mode: 0o700 })
    // Whoever is in the file is believed, and no program is left running for public keys.
    writeFileSync(`${gpgHome}/gpg.conf`, 'trust-model always\nno-autostart\nno-auto-key-retrieve\n')
    try {
      await run('gpg', ['--homedir', gpgHome, '--batch', '--quiet', '--import', '--', file])
    } catch (cause) {
      throw new OrchestratorError(
        'GIT_SIGNATURE',
        `the keys in ${file} could not be read by gpg; write them with gpg --export --armor`,
        { file },
        cause,
      )
    }
  }
}

function readKeys(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new OrchestratorError('GIT_SIGNATURE', `the keys in ${file}, by which commits are believed, cannot be read`, { file }, cause)
  }
}

function parseFact(part: string, ending: ReadonlySet<string>): readonly [id: string, fact: SignatureFact] {
  const [id = '', letter = '', signer = '', primaryFingerprint = '', fingerprint = '', keyId = ''] = part.split('\0')
  const key = fingerprint || keyId || 'of no known kind'
  const fact = factOf(letter, { signer, primaryFingerprint, key })
  return [id, fact.kind === 'unknown' && ending.has(key) ? { kind: 'expired', key } : fact]
}

function factOf(
  letter: string,
  { signer, primaryFingerprint, key }: { signer: string; primaryFingerprint: string; key: string },
): SignatureFact {
  switch (letter) {
    case 'G':
      // ssh keys have no primary one: there the principal of the file is the signer.
      return { kind: 'good', signer: primaryFingerprint === '' ? signer : primaryFingerprint }
    case 'N':
      return { kind: 'none' }
    case 'B':
      return { kind: 'bad' }
    case 'X':
    case 'Y':
      return { kind: 'expired', key }
    case 'R':
      return { kind: 'revoked', key }
    default:
      return { kind: 'unknown', key }
  }
}
