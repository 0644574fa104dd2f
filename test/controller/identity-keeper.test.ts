/** What a token of a workload says, and that its signature holds. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterEach, expect, test } from 'vitest'
import { openIdentitySigner } from '../../src/adapters/identity-signer.js'
import { identityClaims } from '../../src/controller/identity-keeper.js'
import { allocation, task } from '../fixtures.js'

const folders: string[] = []

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-identity-'))
  folders.push(folder)
  return folder
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const identity = {
  Name: 'short',
  ChangeMode: '',
  ChangeSignal: '',
  Env: true,
  File: false,
  Filepath: '',
  ServiceName: '',
  ExtraClaims: null,
}
const NOW_MS = 1_700_000_000_500

function claimsFor(Audience: readonly string[] | null, TTL: number) {
  return identityClaims({
    allocation: allocation({ ID: 'a1', Namespace: 'default', JobID: 'idj', TaskGroup: 'g' }),
    task: task({ Name: 't' }),
    identity: { ...identity, Audience, TTL },
    region: 'global',
    nowMs: NOW_MS,
    id: 'j1',
  })
}

test('a token names the workload, for whom it is and until when', () => {
  expect(claimsFor(['one.example'], 20e9)).toEqual({
    aud: 'one.example',
    exp: 1_700_000_020,
    iat: 1_700_000_000,
    nbf: 1_700_000_000,
    jti: 'j1',
    sub: 'global:default:idj:g:t:short',
    nomad_allocation_id: 'a1',
    nomad_job_id: 'idj',
    nomad_namespace: 'default',
    nomad_task: 't',
  })
  expect(claimsFor(['a', 'b'], 0)).toMatchObject({ aud: ['a', 'b'] })
  expect(claimsFor(['a', 'b'], 0)).not.toHaveProperty('exp')
  expect(claimsFor(null, 0)).not.toHaveProperty('aud')
})

test('whoever has the published keys can check it, also after the server has started again', async () => {
  const folder = newFolder()
  const before = await openIdentitySigner(folder, 'https://drover.example')
  const token = await before.sign(claimsFor(['one.example'], 0))
  const { publicKeys } = await openIdentitySigner(folder, undefined)
  const keys = createLocalJWKSet({ keys: publicKeys.map((key) => ({ ...key })) as never })
  const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer: 'https://drover.example', audience: 'one.example' })
  expect([payload.sub, protectedHeader.alg]).toEqual(['global:default:idj:g:t:short', 'RS256'])
  expect(JSON.stringify(publicKeys)).not.toContain('"d"')
})

test('its key is nobody else’s to read, and a damaged file is told', async () => {
  const folder = newFolder()
  await openIdentitySigner(folder, undefined)
  const file = join(folder, 'identity-keys.json')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ keys: [{ kty: 'RSA' }] })
  writeFileSync(file, '{"keys":[]}')
  await expect(openIdentitySigner(folder, undefined)).rejects.toThrow(/holds no keys for workload identities/)
})

test('the first key signs and all are published', async () => {
  const [folder, other] = [newFolder(), newFolder()]
  await openIdentitySigner(folder, undefined)
  await openIdentitySigner(other, undefined)
  const keysOf = (path: string) => (JSON.parse(readFileSync(join(path, 'identity-keys.json'), 'utf8')) as { keys: { kid: string }[] }).keys
  const keys = [...keysOf(other), ...keysOf(folder)]
  writeFileSync(join(folder, 'identity-keys.json'), JSON.stringify({ keys }))
  const signer = await openIdentitySigner(folder, undefined)
  expect(signer.publicKeys.map(({ kid }) => kid)).toEqual(keys.map(({ kid }) => kid))
  const [header] = (await signer.sign(claimsFor(null, 0))).split('.')
  expect(JSON.parse(Buffer.from(header!, 'base64url').toString())).toMatchObject({ kid: keys[0]!.kid })
})
