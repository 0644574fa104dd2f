import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseFollowedRef } from '../../src/adapters/git/followed-ref.js'
import { CliGitSource } from '../../src/adapters/git/git-source.js'
import type { RemoteAccess } from '../../src/adapters/git/remote/remote-access.js'
import { parseRepositoryAddress } from '../../src/adapters/git/remote/remote-address.js'
import { RemoteGit, type RemoteQuestion } from '../../src/adapters/git/remote/remote-git.js'
import { RemoteListing } from '../../src/adapters/git/remote/remote-listing.js'
import { RemoteMirror } from '../../src/adapters/git/remote/remote-mirror.js'
import type { Remote } from '../../src/adapters/git/remote/remotes.js'
import type { TreeLimits } from '../../src/adapters/git/tree-listing.js'
import { ScratchRepository } from '../scratch-repository.js'
import { type HttpRemote, makeCertificate, startHttpRemote, startSshRemote, whyNoHttp, whyNoSsh } from './git-remotes.js'

const TOKEN = 'sesame-open-canary'
const NO_ACCESS: RemoteAccess = { username: 'drover', tls: {}, ssh: {} }

let folder: string
let work: ScratchRepository
let undo: (() => unknown)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-remote-'))
  work = new ScratchRepository()
  undo = [() => work.remove(), () => rmSync(folder, { recursive: true, force: true })]
})
afterEach(async () => {
  for (const step of undo.reverse()) await step()
})

/** The bare repository that the remote serves, as `cluster.git`. */
function publish(): string {
  const bare = join(folder, 'cluster.git')
  execFileSync('git', ['clone', '-q', '--bare', work.folder, bare], { stdio: 'pipe' })
  work.git('remote', 'add', 'origin', bare)
  return bare
}

async function openMirror(url: string, access: Partial<RemoteAccess> = {}, ref = 'refs/heads/main', versions?: string, timeoutMs = 30_000) {
  return openMirrorOf(remoteOf(url, access), ref, { versions, timeoutMs })
}

function remoteOf(url: string, access: Partial<RemoteAccess>): Remote {
  const address = parseRepositoryAddress(url)
  if (address.kind === 'folder') throw new Error(`${url} is a folder`)
  const git = new RemoteGit(address, { ...NO_ACCESS, ...access })
  return { git, listing: new RemoteListing(git) }
}

interface MirrorOptions {
  readonly versions?: string | undefined
  readonly timeoutMs?: number
  readonly name?: string
  readonly listingAgeMsMax?: number
  readonly treeLimits?: TreeLimits
}

async function openMirrorOf(
  remote: Remote,
  ref: string,
  { versions, timeoutMs = 30_000, name = 'mirror', listingAgeMsMax = 0, ...limits }: MirrorOptions,
) {
  const mirror = await RemoteMirror.open({
    ...limits,
    remote,
    listingAgeMsMax,
    follows: parseFollowedRef(ref, versions),
    ref,
    folder: join(folder, name),
    timeoutMs,
    isOnlyOwner: true,
  })
  undo.push(() => mirror.close())
  return mirror
}

async function openSource(mirror: RemoteMirror, versions?: string): Promise<CliGitSource> {
  const shownAs = { repository: mirror.url, ref: 'the ref' }
  const source = await CliGitSource.open({
    repository: mirror.folder,
    ref: mirror.ref,
    shownAs,
    ...(versions === undefined ? {} : { versions }),
  })
  undo.push(() => source.close())
  return source
}

function tokenFile(token = TOKEN): { readonly kind: 'file'; readonly path: string } {
  const path = join(folder, 'token')
  writeFileSync(path, `${token}\n`)
  return { kind: 'file', path }
}

describe.skipIf(whyNoHttp !== undefined)(`over http ${whyNoHttp ?? ''}`, () => {
  let remote: HttpRemote
  async function serve(options: Parameters<typeof startHttpRemote>[1] = { password: TOKEN }): Promise<string> {
    remote = await startHttpRemote(folder, options)
    undo.push(() => remote.stop())
    return remote.url('cluster.git')
  }

  test('what is pushed is in the mirror after the next fetch, and read from there alone', async () => {
    const first = work.commit({ 'jobs/a.nomad.hcl': 'one' })
    publish()
    const mirror = await openMirror(await serve(), { token: tokenFile() })
    expect(await mirror.update()).toEqual({ kind: 'fetched' })
    const source = await openSource(mirror)
    expect((await source.resolve()).id).toBe(first)
    const second = work.commit({ 'jobs/a.nomad.hcl': 'two' }, 'second')
    work.git('push', '-q', 'origin', 'main')
    expect((await source.resolve()).id).toBe(first)
    await mirror.update()
    expect(await source.resolve()).toMatchObject({ id: second, subject: 'second' })
    await remote.stop()
    expect(await mirror.update()).toMatchObject({ kind: 'failed', problem: expect.stringMatching(/does not answer/) })
    expect((await source.list(second)).map(({ path }) => path)).toEqual(['jobs/a.nomad.hcl'])
  })

  test('the token reaches the remote and stands in no command line, no environment of git, and nowhere in the mirror', async () => {
    work.commit({ 'jobs/a.nomad.hcl': 'one' })
    publish()
    const url = await serve()
    const seen: string[] = []
    remote.interfere = () => {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) seen.push(...processTexts(pid))
      return false
    }
    const mirror = await openMirror(url, { token: tokenFile() })
    expect(await mirror.update()).toEqual({ kind: 'fetched' })
    expect(remote.requests.at(-1)?.authorization).toBe(`Basic ${Buffer.from(`drover:${TOKEN}`).toString('base64')}`)
    expect(seen.some((text) => text.includes('git-remote-http'))).toBe(true)
    expect(seen.filter((text) => text.includes(TOKEN))).toEqual([])
    expect(filesBelow(mirror.folder).filter((path) => readFileSync(path).includes(TOKEN))).toEqual([])
  })

  test('a token that is refused, missing or put right later is told with its file, and the next fetch reads it anew', async () => {
    work.commit({ 'jobs/a.nomad.hcl': 'one' })
    publish()
    const url = await serve()
    const token = tokenFile('wrong-canary')
    const mirror = await openMirror(url, { token })
    expect(await mirror.update()).toEqual({
      kind: 'failed',
      problem: `${url} refuses the token in ${token.path}; put one there that is valid and may read the repository`,
      retryAfterMs: null,
      isMissing: false,
    })
    rmSync(token.path)
    expect(await mirror.update()).toMatchObject({ problem: expect.stringContaining(`the file ${token.path}, which is to hold the token`) })
    tokenFile()
    expect(await mirror.update()).toEqual({ kind: 'fetched' })
  })

  test('a token may come from a variable; without one the remote’s question is told', async () => {
    work.commit({ 'jobs/a.nomad.hcl': 'one' })
    publish()
    const url = await serve()
    const without = await openMirror(url)
    expect(await without.update()).toMatchObject({ problem: expect.stringMatching(/asks who reads it; name a token/) })
    process.env['DROVER_TEST_TOKEN'] = TOKEN
    undo.push(() => delete process.env['DROVER_TEST_TOKEN'])
    const mirror = await openMirror(url, { token: { kind: 'environment', name: 'DROVER_TEST_TOKEN' } })
    expect(await mirror.update()).toEqual({ kind: 'fetched' })
  })

  test('what the remote answers in place of a repository is told with what to do, and how long it wants to be left alone', async () => {
    work.commit({ 'jobs/a.nomad.hcl': 'one' })
    publish()
    const mirror = await openMirror(await serve(), { token: tokenFile() })
    const answering = async (status: number, headers: Record<string, string> = {}) => {
      remote.interfere = (_request, response) => response.writeHead(status, headers).end('no') !== undefined
      return mirror.update()
    }
    expect(await answering(429, { 'Retry-After': '0' })).toMatchObject({
      problem: expect.stringMatching(/left alone/),
      retryAfterMs: 0,
    })
    expect(await answering(503)).toMatchObject({ problem: expect.stringMatching(/is in trouble \(HTTP 503\)/), retryAfterMs: null })
    expect(await answering(403)).toMatchObject({ problem: expect.stringMatching(/HTTP 403.*let the token in/) })
    expect(await answering(404)).toMatchObject({ problem: expect.stringMatching(/has no repository there/) })
    expect(await answering(302, { Location: 'http://127.0.0.1:1/other' })).toMatchObject({
      problem: expect.stringMatching(/leads elsewhere \(HTTP 302\)/),
    })
    remote.interfere = undefined
    expect(await mirror.update()).toEqual({ kind: 'fetched' })
  })

  test('a remote that wants to be left alone is, also by those who ask about another ref', async () => {
    work.commit({ 'jobs/a.nomad.hcl': 'one' })
    publish()
    const mirror = await openMirror(await serve(), { token: tokenFile() })
    remote.interfere = (_request, response) => response.writeHead(503, { 'retry-after': '120' }).end('no') !== undefined
    expect(await mirror.update()).toMatchObject({ problem: expect.stringMatching(/left alone/), retryAfterMs: 120_000 })
    remote.interfere = undefined
    const asked = remote.requests.length
    expect(await mirror.update()).toMatchObject({ kind: 'failed', problem: expect.stringMatching(/left alone/) })
    await expect(mirror.fetchOther('refs/heads/main')).rejects.toThrow(/left alone/)
    expect(remote.requests).toHaveLength(asked)
  })

  test('half a pack changes nothing: neither the ref nor what can be read', async () => {
    const first = work.commit({ 'jobs/a.nomad.hcl': 'one' })
    publish()
    const mirror = await openMirror(await serve(), { token: tokenFile() })
    await mirror.update()
    const source = await openSource(mirror)
    const second = work.commit({ 'jobs/b.nomad.hcl': randomBytes(200_000).toString('hex') })
    work.git('push', '-q', 'origin', 'main')
    remote.cutAfterBytes = 2_000
    expect(await mirror.update()).toMatchObject({
      kind: 'failed',
      problem: expect.stringMatching(/broke off in the middle, and nothing of what it sent was kept/),
    })
    expect((await source.resolve()).id).toBe(first)
    remote.cutAfterBytes = undefined
    await mirror.update()
    expect((await source.resolve()).id).toBe(second)
  })

  test('objects that git’s checks refuse are not kept', async () => {
    work.commit({ 'jobs/a.nomad.hcl': 'one' })
    const bare = publish()
    const mirror = await openMirror(await serve(), { token: tokenFile() })
    await mirror.update()
    const before = await (await openSource(mirror)).resolve()
    const git = (words: string[], input: string) => execFileSync('git', ['-C', bare, ...words], { input, encoding: 'utf8' }).trim()
    const [name, line] = ['no-email', 'No Email 1700000000 +0000']
    const tree = work.git('rev-parse', 'HEAD^{tree}')
    const bad = git(
      ['hash-object', '-w', '-t', 'commit', '--stdin', '--literally'],
      `tree ${tree}\nauthor ${line}\ncommitter ${line}\n\n${name}\n`,
    )
    execFileSync('git', ['-C', bare, 'update-ref', 'refs/heads/main', bad])
    expect(await mirror.update()).toMatchObject({ kind: 'failed', problem: expect.stringMatching(/sent objects that are damaged/) })
    expect((await (await openSource(mirror)).resolve()).id).toBe(before.id)
  })

  test('a ref that is deleted leaves what was fetched; one that was rewritten is followed', async () => {
    const first = work.commit({ 'jobs/a.nomad.hcl': 'one' })
    const bare = publish()
    const url = await serve()
    const mirror = await openMirror(url, { token: tokenFile() })
    await mirror.update()
    const source = await openSource(mirror)
    execFileSync('git', ['-C', bare, 'update-ref', '-d', 'refs/heads/main'])
    expect(await mirror.update()).toMatchObject({
      problem: `${url} has no refs/heads/main; push it, or name another; what runs stays as it is`,
    })
    expect((await source.resolve()).id).toBe(first)
    work.git('commit', '-q', '--amend', '-m', 'another history')
    work.git('push', '-q', '--force', 'origin', 'main')
    await mirror.update()
    const now = await source.resolve()
    expect(now.subject).toBe('another history')
    expect(await source.isAncestor(first, now.id)).toBe(false)
  })

  test('HEAD is the remote’s own branch', async () => {
    work.git('checkout', '-q', '-b', 'trunk')
    const id = work.commit({ 'jobs/a.nomad.hcl': 'one' })
    publish()
    const mirror = await openMirror(await serve(), { token: tokenFile() }, 'HEAD')
    await mirror.update()
    expect((await (await openSource(mirror)).resolve()).id).toBe(id)
  })

  test('the highest tag of a range is followed, also when a tag is taken back', async () => {
    const one = work.commit({ 'jobs/a.nomad.hcl': 'one' })
    for (const tag of ['v1.0.0', 'v1', 'nightly']) work.git('tag', tag)
    const two = work.commit({ 'jobs/a.nomad.hcl': 'two' })
    work.git('tag', '-a', '-m', 'release', 'v1.10.0')
    work.git('tag', 'v2.0.0')
    work.git('tag', 'v1.11.0-rc.1')
    const bare = publish()
    const mirror = await openMirror(await serve(), { token: tokenFile() }, 'refs/tags/v*', '^1')
    await mirror.update()
    const source = await openSource(mirror, '^1')
    expect((await source.resolve()).id).toBe(two)
    execFileSync('git', ['-C', bare, 'tag', '-d', 'v1.10.0'], { stdio: 'pipe' })
    await mirror.update()
    expect((await source.resolve()).id).toBe(one)
    const none = await openSource(mirror, '^7')
    await expect(none.resolve()).rejects.toThrow('has no tag the ref of a version in "^7"; tag a commit, or widen the range')
  })

  test('a fixed commit is fetched once and never asked for again; one that is not there is told', async () => {
    const wanted = work.commit({ 'jobs/a.nomad.hcl': 'one' })
    work.commit({ 'jobs/a.nomad.hcl': 'two' })
    publish()
    const url = await serve()
    const mirror = await openMirror(url, { token: tokenFile() }, wanted)
    await mirror.update()
    expect((await (await openSource(mirror)).resolve()).id).toBe(wanted)
    const asked = remote.requests.length
    expect(await mirror.update()).toEqual({ kind: 'fetched' })
    expect(remote.requests).toHaveLength(asked)
    const lost = await openMirror(url, { token: tokenFile() }, '1'.repeat(40))
    expect(await lost.update()).toMatchObject({ problem: expect.stringContaining(`does not have the commit ${'1'.repeat(40)}`) })
  })

  test('any other branch can be fetched beside it', async () => {
    const main = work.commit({ 'jobs/a.nomad.hcl': 'one' })
    publish()
    work.git('checkout', '-q', '-b', 'feature')
    const feature = work.commit({ 'jobs/b.nomad.hcl': 'two' })
    work.git('push', '-q', 'origin', 'feature')
    const mirror = await openMirror(await serve(), { token: tokenFile() })
    await mirror.update()
    expect(await mirror.fetchOther('refs/heads/feature')).toBe(feature)
    expect((await (await openSource(mirror)).resolve()).id).toBe(main)
    await expect(mirror.fetchOther('refs/heads/nope')).rejects.toThrow('has no refs/heads/nope')
  })

  test('a ref is merged into what is followed without moving anything, the same way each time, and conflicts are told by their paths', async () => {
    work.commit({ 'jobs/a.nomad.hcl': 'one\n', 'jobs/b.nomad.hcl': 'one\n' })
    publish()
    work.git('checkout', '-q', '-b', 'feature')
    const feature = work.commit({ 'jobs/b.nomad.hcl': 'of the feature\n' })
    work.git('push', '-q', 'origin', 'feature')
    work.git('checkout', '-q', 'main')
    const main = work.commit({ 'jobs/a.nomad.hcl': 'two\n' })
    work.git('push', '-q', 'origin', 'main')
    const mirror = await openMirror(await serve(), { token: tokenFile() })
    await mirror.update()
    const merged = await mirror.mergeOther('refs/heads/feature')
    expect(await mirror.mergeOther('refs/heads/feature')).toEqual(merged)
    if (merged.kind !== 'merged') throw new Error('it is in conflict')
    expect(merged.headId).toBe(feature)
    const source = await openSource(mirror)
    const texts = await source.read(
      (await source.list(merged.id)).map(({ blob }) => blob),
      1_000,
    )
    expect([...texts.values()].map((content) => content.kind === 'bytes' && Buffer.from(content.bytes).toString())).toEqual([
      'two\n',
      'of the feature\n',
    ])
    expect(await source.isAncestor(main, merged.id)).toBe(true)
    expect((await source.resolve()).id).toBe(main)
    work.commit({ 'jobs/b.nomad.hcl': 'of main\n' })
    work.git('push', '-q', 'origin', 'main')
    await mirror.update()
    expect(await mirror.mergeOther('refs/heads/feature')).toEqual({ kind: 'conflict', headId: feature, paths: ['jobs/b.nomad.hcl'] })
  })

  test('what stands for more files than anybody has is fetched and not merged', async () => {
    work.commit({ 'jobs/a.nomad.hcl': 'one' })
    publish()
    work.git('checkout', '-q', '-b', 'feature')
    const feature = work.commit(Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`docs/${at}`, 'x'])))
    work.git('push', '-q', 'origin', 'feature')
    const url = await serve()
    for (const [treeLimits, why] of [
      [{ entriesMax: 20, pathsLengthMax: 10_000, depthMax: 10 }, 'more than 20 files and folders'],
      [{ entriesMax: 1_000, pathsLengthMax: 100, depthMax: 10 }, 'paths of more than 100 characters'],
    ] as const) {
      const mirror = await openMirrorOf(remoteOf(url, { token: tokenFile() }), 'refs/heads/main', { treeLimits, name: why })
      await mirror.update()
      expect(await mirror.mergeOther('refs/heads/feature')).toEqual({
        kind: 'refused',
        headId: feature,
        why: `the commit has ${why}, and is not read; take out what does not belong there, what runs stays as it is`,
      })
    }
    const mirror = await openMirror(url, { token: tokenFile() })
    await mirror.update()
    expect(await mirror.mergeOther('refs/heads/feature')).toMatchObject({ kind: 'merged', headId: feature })
  })

  test('a remote that answers nothing is given up after the time allowed, with all that git has started', async () => {
    work.commit({ 'jobs/a.nomad.hcl': 'one' })
    publish()
    const url = await serve()
    remote.interfere = () => true
    const mirror = await openMirror(url, { token: tokenFile() }, 'refs/heads/main', undefined, 300)
    expect(await mirror.update()).toMatchObject({ problem: expect.stringMatching(/did not finish within 0\.3 s/) })
    remote.interfere = undefined
  })

  test('what a fetch that was killed has left is cleared at the next start', async () => {
    work.commit({ 'jobs/a.nomad.hcl': 'one' })
    publish()
    const url = await serve()
    await (await openMirror(url, { token: tokenFile() })).update()
    const mirror = join(folder, 'mirror')
    writeFileSync(join(mirror, 'packed-refs.lock'), '')
    writeFileSync(join(mirror, 'refs/drover/followed.lock'), '')
    writeFileSync(join(mirror, 'refs/drover/followed'), '')
    mkdirSync(join(mirror, 'objects/incoming-abc'))
    const second = work.commit({ 'jobs/a.nomad.hcl': 'two' })
    work.git('push', '-q', 'origin', 'main')
    const again = await openMirror(url, { token: tokenFile() })
    expect(readdirSync(join(mirror, 'objects'))).not.toContain('incoming-abc')
    expect(await again.update()).toEqual({ kind: 'fetched' })
    expect((await (await openSource(again)).resolve()).id).toBe(second)
  })

  test('a certificate counts when its authority is named, and a client’s own is shown', async () => {
    const id = work.commit({ 'jobs/a.nomad.hcl': 'one' })
    publish()
    const [server, client] = [makeCertificate(), makeCertificate()]
    const url = await serve({ tls: { ...server, ca: client.cert } })
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text, { mode: 0o600 })
      return join(folder, name)
    }
    expect(await (await openMirror(url)).update()).toMatchObject({
      problem: expect.stringMatching(/its certificate is of no authority that this machine knows/),
    })
    const caFile = file('ca.pem', server.cert)
    expect(await (await openMirror(url, { tls: { caFile } })).update()).toMatchObject({ kind: 'failed' })
    const mirror = await openMirror(url, { tls: { caFile, certFile: file('c.pem', client.cert), keyFile: file('c.key', client.key) } })
    expect(await mirror.update()).toEqual({ kind: 'fetched' })
    expect((await (await openSource(mirror)).resolve()).id).toBe(id)
  })
})

test('a repository of this machine is fetched by its file address', async () => {
  const id = work.commit({ 'jobs/a.nomad.hcl': 'one' })
  const bare = publish()
  const mirror = await openMirror(`file://${bare}`)
  expect(await mirror.update()).toEqual({ kind: 'fetched' })
  expect((await (await openSource(mirror)).resolve()).id).toBe(id)
  rmSync(bare, { recursive: true })
  expect(await mirror.update()).toMatchObject({ problem: expect.stringMatching(/has no repository there/) })
})

describe.skipIf(whyNoSsh !== undefined)(`over ssh ${whyNoSsh ?? ''}`, () => {
  test('a key that is let in reads from a host whose key is pinned; every other key of either side is refused', async () => {
    const id = work.commit({ 'jobs/a.nomad.hcl': 'one' })
    const bare = publish()
    const sshd = await startSshRemote(join(folder, 'ssh one'))
    undo.push(() => sshd.stop())
    const url = sshd.url(bare)
    const ssh = { keyFile: sshd.keyFile, knownHostsFile: sshd.knownHostsFile }
    const mirror = await openMirror(url, { ssh })
    expect(await mirror.update()).toEqual({ kind: 'fetched' })
    expect((await (await openSource(mirror)).resolve()).id).toBe(id)

    const empty = join(folder, 'nobody')
    writeFileSync(empty, '')
    expect(await (await openMirror(url, { ssh: { ...ssh, knownHostsFile: empty } })).update()).toMatchObject({
      problem: `${url} is a host whose key is not known; ask its operator for the key and put it into ${empty}`,
    })
    const strange = join(folder, 'strange')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', strange])
    expect(await (await openMirror(url, { ssh: { ...ssh, keyFile: strange } })).update()).toMatchObject({
      problem: `${url} does not let the key ${strange} in; add ${strange}.pub there as a deploy key`,
    })
    expect(await (await openMirror(sshd.url('/nowhere'), { ssh })).update()).toMatchObject({
      problem: expect.stringMatching(/has no repository there/),
    })
  })

  test('a host that shows another key than before is not talked to', async () => {
    work.commit({ 'jobs/a.nomad.hcl': 'one' })
    const bare = publish()
    const first = await startSshRemote(join(folder, 'first'))
    const url = first.url(bare)
    const ssh = { keyFile: first.keyFile, knownHostsFile: first.knownHostsFile }
    await first.stop()
    const second = await startSshRemote(join(folder, 'second'), { port: Number(new URL(url).port) })
    undo.push(() => second.stop())
    const outcome = await (await openMirror(url, { ssh })).update()
    const hostKey = execFileSync('ssh-keygen', ['-lf', join(folder, 'second', 'host.pub')], { encoding: 'utf8' }).split(' ')[1]
    expect(outcome).toMatchObject({ problem: expect.stringContaining(`shows another host key than the one it is known by (${hostKey})`) })
  })
})

function processTexts(pid: string): readonly string[] {
  return ['cmdline', 'environ'].flatMap((name) => {
    try {
      const text = readFileSync(`/proc/${pid}/${name}`, 'utf8')
      return text.includes('git') ? [text] : []
    } catch {
      // It has ended, or is not ours to look at.
      return []
    }
  })
}

function filesBelow(top: string): readonly string[] {
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

describe('what is asked of a remote', () => {
  /** Says which subcommands of git were run. */
  function counted(): { readonly remote: Remote; readonly asked: string[] } {
    const address = parseRepositoryAddress(`file://${join(folder, 'cluster.git')}`)
    if (address.kind === 'folder') throw new Error('it is a remote')
    const asked: string[] = []
    const real = new RemoteGit(address, NO_ACCESS)
    const ask = (question: RemoteQuestion) => {
      asked.push(question.words.find((word) => word === 'fetch' || word === 'ls-remote')!)
      return real.ask(question)
    }
    const git = { url: real.url, ask } as RemoteGit
    return { remote: { git, listing: new RemoteListing(git) }, asked }
  }

  test.each([
    ['a branch', 'refs/heads/main', undefined],
    ['HEAD', 'HEAD', undefined],
    ['tags', 'refs/tags/v*', '>=1'],
  ])('of %s in which nothing is new no fetch, also after a restart', async (_, ref, versions) => {
    work.commit({ a: 'one' })
    work.git('tag', '-a', '-m', 'one', 'v1.0.0')
    publish()
    const { remote, asked } = counted()
    const mirror = await openMirrorOf(remote, ref, { versions })
    for (let round = 0; round < 3; round++) expect(await mirror.update()).toEqual({ kind: 'fetched' })
    expect(asked.splice(0)).toEqual(['fetch', 'ls-remote', 'ls-remote'])
    await mirror.close()
    const again = await openMirrorOf(remote, ref, { versions })
    expect(await again.update()).toEqual({ kind: 'fetched' })
    expect(asked.splice(0)).toEqual(['ls-remote'])
    const next = work.commit({ a: 'two' })
    work.git('tag', '-a', '-m', 'two', 'v1.1.0')
    work.git('push', '-q', '--tags', 'origin', 'main')
    await again.update()
    expect((await (await openSource(again, versions)).resolve()).id).toBe(next)
    expect(asked).toEqual(['ls-remote', 'fetch'])
  })

  test('what lies about after many fetches is packed, behind them', async () => {
    work.commit({ a: 'one' })
    publish()
    const { remote } = counted()
    const mirror = await openMirrorOf(remote, 'refs/heads/main', {})
    // Every fetch is a pack, and more than one are too many.
    for (const name of ['fetch.unpackLimit', 'gc.autoPackLimit']) execFileSync('git', ['-C', mirror.folder, 'config', name, '1'])
    const packs = () => readdirSync(join(mirror.folder, 'objects/pack')).filter((name) => name.endsWith('.pack'))
    const fetchNews = async (round: number) => {
      work.commit({ a: `round ${round}` })
      work.git('push', '-q', 'origin', 'main')
      await mirror.update(true)
    }
    for (let round = 0; round < 20; round++) await fetchNews(round)
    expect(packs().length).toBeGreaterThan(10)
    await fetchNews(20)
    // It waits until that is done.
    await mirror.fetchOther('refs/heads/main')
    expect(packs()).toHaveLength(1)
  })

  test('what somebody has announced is fetched at once', async () => {
    work.commit({ a: 'one' })
    publish()
    const { remote, asked } = counted()
    const mirror = await openMirrorOf(remote, 'refs/heads/main', {})
    await mirror.update()
    await mirror.update(true)
    expect(asked).toEqual(['fetch', 'fetch'])
  })

  test('two sources of one remote ask once', async () => {
    work.commit({ a: 'one' })
    work.git('branch', 'prod')
    publish()
    const { remote, asked } = counted()
    const main = await openMirrorOf(remote, 'refs/heads/main', { listingAgeMsMax: 60_000 })
    const prod = await openMirrorOf(remote, 'refs/heads/prod', { listingAgeMsMax: 60_000, name: 'prod' })
    for (const mirror of [main, prod]) await mirror.update()
    asked.splice(0)
    await Promise.all([main.update(), prod.update()])
    expect(asked.splice(0)).toEqual(['ls-remote'])
    await main.update()
    await prod.update()
    expect(asked.splice(0)).toEqual(['ls-remote'])
    // Nobody is told the same twice.
    await prod.update()
    expect(asked.splice(0)).toEqual(['ls-remote'])
    const next = work.commit({ a: 'two' })
    work.git('push', '-q', 'origin', 'main:prod')
    await prod.update(true)
    expect(asked).toEqual(['fetch'])
    expect((await (await openSource(prod)).resolve()).id).toBe(next)
  })

  test('one that has left does not end what others ask', async () => {
    work.commit({ a: 'one' })
    publish()
    const { remote } = counted()
    const [main, other] = [await openMirrorOf(remote, 'refs/heads/main', {}), await openMirrorOf(remote, 'HEAD', { name: 'other' })]
    await other.update()
    await main.close()
    expect(await other.update()).toEqual({ kind: 'fetched' })
    expect(await main.update()).toMatchObject({ kind: 'failed', problem: expect.stringContaining('is not asked any more') })
  })
})
