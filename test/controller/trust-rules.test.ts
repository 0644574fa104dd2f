import { expect, test } from 'vitest'
import { type JudgedCommit, refuseHistory, refuseSignature, type SignatureFact } from '../../src/controller/trust/trust-rules.js'
import type { Commit } from '../../src/domain/index.js'

const ANN = 'ann@example.org'
const BOB = 'bob@example.org'
const EVE = 'eve@example.org'
const PROD = { path: 'jobs/prod', signers: [ANN, BOB], required: 2 }

let counter = 0
function signed(signer: string | SignatureFact, touched: readonly string[] = [], approves: string[] = []): JudgedCommit {
  const id = (++counter).toString(16).padStart(40, 'abc0')
  const trailers = approves.map((value) => ({ key: 'drover-approve', value }))
  const commit: Commit = { id, author: 'Somebody', authorEmail: '', atMs: 0, subject: '', trailers }
  return { commit, fact: typeof signer === 'string' ? { kind: 'good', signer } : signer, touched }
}

test('each way in which a signature does not count has a sentence with the remedy', () => {
  const { commit } = signed(ANN)
  expect(refuseSignature(commit, { kind: 'good', signer: ANN })).toBeUndefined()
  expect(refuseSignature(commit, { kind: 'none' })).toMatch(/is not signed; sign it \(git commit --amend --no-edit -S/)
  expect(refuseSignature(commit, { kind: 'bad' })).toMatch(/changed after it was signed/)
  expect(refuseSignature(commit, { kind: 'unknown', key: 'SHA256:x' })).toMatch(/nobody has named \(SHA256:x\)/)
  expect(refuseSignature(commit, { kind: 'expired', key: 'K' })).toMatch(/has expired \(K\)/)
  expect(refuseSignature(commit, { kind: 'revoked', key: 'K' })).toMatch(/was revoked \(K\)/)
})

test('one commit that is not signed is enough to refuse all of them', () => {
  expect(refuseHistory([signed(ANN), signed(EVE)], [])).toBeUndefined()
  expect(refuseHistory([signed(ANN), signed({ kind: 'none' }), signed(ANN)], [])).toMatch(/is not signed/)
  expect(refuseHistory([signed({ kind: 'none' }), signed({ kind: 'bad' })], [])).toMatch(/is not signed.*and 1 more like it/)
})

test('what is not of a rule’s path needs any signer, also beside it by name', () => {
  expect(refuseHistory([signed(EVE, ['jobs/prod2/a.nomad.hcl', 'README.md', 'jobs/prod.nomad.hcl'])], [PROD])).toBeUndefined()
  expect(refuseHistory([signed(EVE, ['jobs/prod'])], [PROD])).toMatch(/2 of \(ann@example.org, bob@example.org\)/)
})

test('two of two have to say so: the author by signing, the other by a commit that names it', () => {
  const change = signed(ANN, ['jobs/prod/web.nomad.hcl'])
  expect(refuseHistory([change], [PROD])).toMatch(/so far only ann@example.org has; let them say so: git commit .*Drover-Approve: /)
  const approval = signed(BOB, [], [change.commit.id.slice(0, 12)])
  expect(refuseHistory([change, approval], [PROD])).toBeUndefined()
})

test('an approval counts once, from who is named, and for the commit that it names', () => {
  const change = signed(ANN, ['jobs/prod/web.nomad.hcl'])
  const { id } = change.commit
  for (const approval of [
    signed(ANN, [], [id]),
    signed(EVE, [], [id]),
    signed(BOB, [], [id.slice(0, 6)]),
    signed(BOB, [], [`f${id.slice(1)}`]),
  ])
    expect(refuseHistory([change, approval], [PROD])).toMatch(/so far only ann@example.org has/)
  expect(refuseHistory([change, signed({ kind: 'none' }, [], [id])], [PROD])).toMatch(/is not signed/)
})

test('somebody who may not change it can be approved by those who may', () => {
  const change = signed(EVE, ['jobs/prod/web.nomad.hcl'])
  expect(refuseHistory([change, signed(ANN, [], [change.commit.id])], [PROD])).toMatch(/so far only ann/)
  expect(refuseHistory([change, signed(ANN, [], [change.commit.id]), signed(BOB, [], [change.commit.id])], [PROD])).toBeUndefined()
})

test('every commit that changes the path is asked about, not only the last', () => {
  const one = { ...PROD, required: 1 }
  expect(refuseHistory([signed(EVE, ['jobs/prod/a']), signed(ANN, ['jobs/prod/a'])], [one])).toMatch(/none of them has/)
})

test('where several rules are about a path all of them count', () => {
  const rules = [
    { path: 'jobs', signers: [ANN, BOB, EVE], required: 1 },
    { path: 'jobs/prod/bank.nomad.hcl', signers: [BOB], required: 1 },
  ]
  expect(refuseHistory([signed(EVE, ['jobs/prod/web.nomad.hcl'])], rules)).toBeUndefined()
  expect(refuseHistory([signed(EVE, ['jobs/prod/bank.nomad.hcl'])], rules)).toMatch(/1 of \(bob@example.org\)/)
})
