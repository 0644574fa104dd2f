import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../src/adapters/logger.js'
import { type ForgeKind, WebhookReceiver } from '../../src/adapters/webhooks.js'
import { World } from '../api/world.js'
import { ManualClock } from '../controller/manual-clock.js'

const SECRET = 'it is a secret'
/** As GitHub's documentation gives it, "Validating webhook deliveries". */
const GITHUB_EXAMPLE = {
  secret: "It's a Secret to Everybody",
  body: 'Hello, World!',
  signature: 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
}

let folder: string
let secretFile: string
let clock: ManualClock
let pushes: string[]
let unheard: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-hooks-'))
  secretFile = join(folder, 'secret')
  writeFileSync(secretFile, `${SECRET}\n`)
  clock = new ManualClock()
  pushes = []
  unheard = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function receiver(forge: ForgeKind): WebhookReceiver {
  const secret = { kind: 'file', path: secretFile } as const
  return new WebhookReceiver({
    webhooks: [{ source: 'default', forge, secret }],
    clock,
    logger: silentLogger,
    onPush: (source) => pushes.push(source),
    onUnheard: (source) => unheard.push(source),
  })
}

const bytes = (text: string) => new TextEncoder().encode(text)
const sign = (body: string, secret = SECRET) => createHmac('sha256', secret).update(body).digest('hex')

test('a delivery that GitHub’s documentation signs is one', () => {
  writeFileSync(secretFile, GITHUB_EXAMPLE.secret)
  const headers = { 'x-hub-signature-256': GITHUB_EXAMPLE.signature }
  expect(receiver('github').receive('default', headers, bytes(GITHUB_EXAMPLE.body))).toBe('accepted')
  expect(receiver('github').receive('default', headers, bytes(`${GITHUB_EXAMPLE.body} `))).toBe('refused')
})

describe.each([
  ['github', { 'x-hub-signature-256': `sha256=${sign('{}')}` }],
  ['gitea', { 'x-gitea-signature': sign('{}') }],
  ['generic', { 'x-signature': `sha256=${sign('{}')}` }],
  ['gitlab', { 'x-gitlab-token': SECRET }],
] as const)('%s', (forge, headers) => {
  const [name = '', proof = ''] = Object.entries(headers)[0]!

  test('its proof is believed, where and as it puts it', () => {
    expect(receiver(forge).receive('default', headers, bytes('{}'))).toBe('accepted')
    expect(pushes).toEqual(['default'])
  })

  test.each([
    ['nothing', {}],
    ['an empty one', { [name]: '' }],
    ['half of one', { [name]: proof.slice(0, -1) }],
    ['a longer one', { [name]: `${proof}0` }],
    ['one that is given twice', { [name]: [proof, proof] }],
    ['one in a header of another forge', { 'x-other': proof }],
  ])('%s is no proof', (_what, given) => {
    expect(receiver(forge).receive('default', given, bytes('{}'))).toBe('refused')
    expect(pushes).toEqual([])
  })

  test('whatever is sent without it is refused and harms nobody', () => {
    const hooks = receiver(forge)
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(name, 'x-github-event', 'content-type'), fc.string()), fc.uint8Array(), (given, body) => {
        clock.advance(1_000)
        expect(hooks.receive('default', given, body)).toBe('refused')
      }),
      { numRuns: 200 },
    )
  })
})

test('a body of another length or content has another signature', () => {
  const hooks = receiver('generic')
  const headers = { 'x-signature': `sha256=${sign('{"ref":"refs/heads/main"}')}` }
  expect(hooks.receive('default', headers, bytes('{"ref":"refs/heads/other"}'))).toBe('refused')
  expect(hooks.receive('default', headers, bytes('{"ref": "refs/heads/main"}'))).toBe('refused')
})

test('without a secret nobody is believed, and a new secret counts at once', () => {
  const hooks = receiver('gitlab')
  writeFileSync(secretFile, '\n')
  expect(hooks.receive('default', { 'x-gitlab-token': '' }, bytes('{}'))).toBe('refused')
  rmSync(secretFile)
  expect(hooks.receive('default', { 'x-gitlab-token': '' }, bytes('{}'))).toBe('refused')
  writeFileSync(secretFile, 'another')
  expect(hooks.receive('default', { 'x-gitlab-token': 'another' }, bytes('{}'))).toBe('accepted')
})

test('a flood is not listened to, and later ones are again', () => {
  const hooks = receiver('gitlab')
  const outcomes = Array.from({ length: 100 }, () => hooks.receive('default', { 'x-gitlab-token': 'guess' }, bytes('{}')))
  expect(outcomes.slice(0, 30)).toEqual(Array(30).fill('refused'))
  expect(outcomes.slice(30)).toEqual(Array(70).fill('too-many'))
  clock.advance(1_000)
  expect(hooks.receive('default', { 'x-gitlab-token': SECRET }, bytes('{}'))).toBe('accepted')
  expect(hooks.counts.get('default')).toEqual({ accepted: 1, refused: 30, 'too-many': 70 })
  expect(unheard).toEqual(Array(70).fill('default'))
})

describe('over HTTP', () => {
  const post = (world: World, path: string, body: string | Buffer, headers: Record<string, string>) =>
    world.inject({ method: 'POST', url: path, payload: body, headers })

  test('a push is answered with 202, whatever its content type; other names, secrets and methods are refused', async () => {
    const world = new World({ webhooks: receiver('github') })
    const body = '{"zen": "ü", not even JSON'
    const headers = { 'x-hub-signature-256': `sha256=${sign(body)}`, 'content-type': 'application/json' }
    expect((await post(world, '/drover/v1/hooks/default', body, headers)).statusCode).toBe(202)
    expect(pushes).toEqual(['default'])
    const wrong = await post(world, '/drover/v1/hooks/default', `${body} `, headers)
    const absent = await post(world, '/drover/v1/hooks/other', body, headers)
    expect([wrong.statusCode, absent.statusCode]).toEqual([401, 401])
    expect(wrong.payload).toBe(absent.payload)
    expect((await world.get('/drover/v1/hooks/default')).status).toBe(405)
    expect(pushes).toEqual(['default'])
  })

  test('what is larger than a megabyte is refused before anybody looks at its proof', async () => {
    const hooks = receiver('github')
    const world = new World({ webhooks: hooks })
    const response = await post(world, '/drover/v1/hooks/default', Buffer.alloc(1024 * 1024 + 1), { 'x-hub-signature-256': 'sha256=00' })
    expect(response.statusCode).toBe(413)
    expect(hooks.counts.get('default')).toEqual({ accepted: 0, refused: 0, 'too-many': 0 })
  })

  test('a page of another origin is not heard', async () => {
    const world = new World({ webhooks: receiver('gitlab') })
    const headers = { 'x-gitlab-token': SECRET, origin: 'https://evil.example.org' }
    expect((await post(world, '/drover/v1/hooks/default', '{}', headers)).statusCode).toBe(403)
    expect(pushes).toEqual([])
  })

  test('a flood is answered with 429 and when to come again', async () => {
    const world = new World({ webhooks: receiver('gitlab') })
    const send = () => post(world, '/drover/v1/hooks/default', '{}', { 'x-gitlab-token': 'guess' })
    for (let sent = 0; sent < 30; sent++) expect((await send()).statusCode).toBe(401)
    const response = await send()
    expect([response.statusCode, response.headers['retry-after']]).toEqual([429, '10'])
  })
})
