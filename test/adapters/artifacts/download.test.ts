/** Artifacts: what is fetched, verified and unpacked, and what is refused. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { create } from 'tar'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { download } from '../../../src/adapters/artifacts/download.js'
import type { DownloadRequest } from '../../../src/adapters/artifacts/request.js'
import { parseSource } from '../../../src/adapters/artifacts/source.js'

const LIMITS = {
  allowsPrivateAddresses: true,
  allowsInsecure: false,
  downloadBytesMax: 100_000,
  unpackedBytesMax: 100_000,
  unpackedTimesMax: 200,
  unpackedBytesFree: 100_000,
  filesMax: 10,
  timeoutMs: 5_000,
}

let folder = ''
let server: Server
let address = ''
const routes = new Map<string, { readonly body?: Buffer; readonly location?: string }>()
const heard: { readonly path: string; readonly headers: Readonly<Record<string, unknown>> }[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drover-artifacts-'))
  routes.clear()
  heard.length = 0
  server = createServer((request, response) => {
    const route = routes.get(request.url ?? '')
    heard.push({ path: request.url ?? '', headers: request.headers })
    if (route?.location !== undefined) response.writeHead(302, { location: route.location }).end()
    else if (route === undefined) response.writeHead(404).end()
    else response.end(route.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true })
})

let runs = 0
function request(source: string, over: Partial<DownloadRequest> = {}): DownloadRequest {
  const own = join(folder, `run-${runs++}`)
  mkdirSync(own)
  return { source, options: {}, headers: {}, mode: 'any', isInsecure: false, folder: own, limits: LIMITS, ...over }
}

async function fetched(asked: DownloadRequest): Promise<Readonly<Record<string, string>>> {
  await download(asked)
  const out = join(asked.folder, 'out')
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(out, path)).isFile())
  return Object.fromEntries(files.sort().map((path) => [path, readFileSync(join(out, path), 'utf8')]))
}

async function tarOf(files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  const source = mkdtempSync(join(folder, 'tar-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(source, path, '..'), { recursive: true })
    writeFileSync(join(source, path), text, { mode: 0o755 })
  }
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(source, path))
  const file = join(folder, 'made.tar')
  await create({ file, cwd: source }, readdirSync(source))
  return readFileSync(file)
}

test('a file comes under the last part of its address, or under the name that is asked for', async () => {
  routes.set('/a/beans.txt', { body: Buffer.from('beans') })
  expect(await fetched(request(`${address}/a/beans.txt`))).toEqual({ 'beans.txt': 'beans' })
  expect(await fetched(request(`${address}/a/beans.txt?filename=peas`))).toEqual({ peas: 'beans' })
})

test('checksums of every kind are verified, also from a list', async () => {
  const body = Buffer.from('beans')
  const digest = (kind: string) => createHash(kind).update(body).digest('hex')
  routes.set('/beans.txt', { body })
  routes.set('/sums', { body: Buffer.from(`${digest('sha512')}  other\n${digest('sha256')} *beans.txt\n`) })
  for (const checksum of [
    `md5:${digest('md5')}`,
    `sha1:${digest('sha1')}`,
    digest('sha256'),
    `sha512:${digest('sha512')}`,
    `file:${address}/sums`,
  ]) {
    expect(await fetched(request(`${address}/beans.txt`, { options: { checksum } })), checksum).toEqual({ 'beans.txt': 'beans' })
  }
  const wrong = request(`${address}/beans.txt`, { options: { checksum: `md5:${'0'.repeat(32)}` } })
  await expect(download(wrong)).rejects.toThrow(
    `Checksums did not match for beans.txt.\nExpected: ${'0'.repeat(32)}\nGot: ${digest('md5')}\n*md5.digest`,
  )
  expect(readdirSync(join(wrong.folder, 'out'))).toEqual([])
  await expect(download(request(`${address}/beans.txt`, { options: { checksum: 'crc:1' } }))).rejects.toThrow('invalid checksum')
})

test('archives are unpacked, whole or a folder of them, or kept as they are', async () => {
  const tar = await tarOf({ 'sack/top.txt': 'top', 'sack/sub/run.sh': 'run' })
  routes.set('/sack.tar.gz', { body: gzipSync(tar) })
  routes.set('/sack.tar', { body: tar })
  routes.set('/top.txt.gz', { body: gzipSync('top') })
  expect(await fetched(request(`${address}/sack.tar.gz`))).toEqual({ 'sack/sub/run.sh': 'run', 'sack/top.txt': 'top' })
  expect(await fetched(request(`${address}/sack.tar//sack/sub`))).toEqual({ 'run.sh': 'run' })
  expect(await fetched(request(`${address}/top.txt.gz`))).toEqual({ 'top.txt': 'top' })
  expect(Object.keys(await fetched(request(`${address}/sack.tar.gz?archive=false`)))).toEqual(['sack.tar.gz'])
  await expect(download(request(`${address}/sack.tar//absent`))).rejects.toThrow('subdir "absent" not found')
  await expect(download(request(`${address}/sack.tar.gz`, { mode: 'file' }))).rejects.toThrow('expected a single file')
})

test('links do not come out of an archive, names that lead outside end it', async () => {
  const tar = await tarOf({ 'a.txt': 'a' }, { 'link.txt': '/etc/hostname' })
  routes.set('/linked.tar', { body: tar })
  expect(await fetched(request(`${address}/linked.tar`))).toEqual({ 'a.txt': 'a' })
  const named = Buffer.from(tar)
  named.write('../x.t', 0, 'latin1')
  named.write(checksumField(named.subarray(0, 512)), 148, 'latin1')
  routes.set('/outside.tar', { body: named })
  const asked = request(`${address}/outside.tar`)
  await expect(download(asked)).rejects.toThrow('leads outside')
  expect(existsSync(join(asked.folder, 'x.t'))).toBe(false)
})

/** The sum of a header's bytes, its own field counted as spaces. */
function checksumField(header: Buffer): string {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  return `${sum.toString(8).padStart(6, '0')}\0 `
}

test('more bytes or files than the limits allow end the download, whatever the archive says', async () => {
  routes.set('/large', { body: Buffer.alloc(200) })
  routes.set('/bomb.tar.gz', { body: gzipSync(await tarOf({ 'zeros.txt': '0'.repeat(50_000) })) })
  routes.set('/many.tar', { body: await tarOf(Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`f${at}`, '']))) })
  const limits = { ...LIMITS, downloadBytesMax: 100 }
  await expect(download(request(`${address}/large`, { limits }))).rejects.toThrow('the download has more than 100 bytes')
  await expect(download(request(`${address}/bomb.tar.gz`, { limits: { ...LIMITS, unpackedBytesMax: 1_000 } }))).rejects.toThrow(
    'the unpacked archive has more than 1000 bytes',
  )
  const shrunk = { ...LIMITS, unpackedBytesFree: 1_000, unpackedTimesMax: 2 }
  await expect(download(request(`${address}/bomb.tar.gz`, { limits: shrunk }))).rejects.toThrow(/more than \d+ bytes, 2 times its own size/)
  const loose = { ...shrunk, unpackedTimesMax: 1_000 }
  expect(await fetched(request(`${address}/bomb.tar.gz`, { limits: loose }))).toEqual({ 'zeros.txt': '0'.repeat(50_000) })
  await expect(download(request(`${address}/many.tar`))).rejects.toThrow('more than 10 files')
})

/** A zip of one file, packed, whose headers say that `saidBytes` come out of it. */
function zipOf(name: string, content: string, saidBytes = content.length): Buffer {
  const packed = deflateRawSync(content)
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(20, 0)
  fields.writeUInt16LE(8, 4)
  fields.writeUInt32LE(packed.length, 14)
  fields.writeUInt32LE(saidBytes, 18)
  fields.writeUInt16LE(name.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), packed])
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, Buffer.alloc(14), Buffer.from(name)])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(local.length, 16)
  return Buffer.concat([local, central, end])
}

test('a zip is unpacked, and one that says a wrong size is refused in a sentence', async () => {
  const text = 'x'.repeat(90_000)
  routes.set('/sound.zip', { body: zipOf('sub/sound.txt', text) })
  routes.set('/small.zip', { body: zipOf('small.txt', text, 10) })
  routes.set('/large.zip', { body: zipOf('large.txt', text, 100_000) })
  const limits = { ...LIMITS, unpackedBytesMax: 200_000 }
  expect(await fetched(request(`${address}/sound.zip`, { limits }))).toEqual({ 'sub/sound.txt': text })
  await expect(download(request(`${address}/small.zip`, { limits }))).rejects.toThrow('the archive cannot be read: too many bytes')
  await expect(download(request(`${address}/large.zip`, { limits }))).rejects.toThrow('the archive cannot be read: not enough bytes')
})

test('private addresses are refused, by number, by name and behind a redirect', async () => {
  const limits = { ...LIMITS, allowsPrivateAddresses: false }
  for (const source of [
    `${address}/x`,
    address.replace('127.0.0.1', 'localhost'),
    'http://169.254.169.254/x',
    'http://[::1]/x',
    'http://[::ffff:10.0.0.1]/x',
    'git::https://10.0.0.1/a.git',
  ]) {
    await expect(download(request(source, { limits })), source).rejects.toThrow('private address')
  }
  expect(heard).toEqual([])
})

test('redirects are followed, but not to another scheme, and secrets do not follow them to another host', async () => {
  routes.set('/from', { location: '/to' })
  routes.set('/to', { body: Buffer.from('there') })
  expect(await fetched(request(`${address}/from`, { headers: { Authorization: 'Bearer x' } }))).toEqual({ from: 'there' })
  expect(heard.map(({ headers }) => headers.authorization)).toEqual(['Bearer x', 'Bearer x'])
  routes.set('/away', { location: `${address.replace('127.0.0.1', 'localhost')}/to` })
  await fetched(request(`${address}/away`, { headers: { Authorization: 'Bearer x' } }))
  expect(heard.at(-1)).toMatchObject({ path: '/to' })
  expect(heard.at(-1)!.headers.authorization).toBeUndefined()
  routes.set('/file', { location: 'file:///etc/hostname' })
  await expect(download(request(`${address}/file`))).rejects.toThrow("redirected to scheme 'file'")
  routes.set('/round', { location: '/round' })
  await expect(download(request(`${address}/round`))).rejects.toThrow('redirected more than')
})

test('what is not there, and what is not asked for rightly, is told', async () => {
  await expect(download(request(`${address}/none`))).rejects.toThrow('bad response code: 404')
  await expect(download(request(`${address}/none`, { isInsecure: true }))).rejects.toThrow('insecure is refused')
  for (const source of ['file:///etc/hostname', 's3::https://x/y', 'hg::https://x/y', 'git::ssh://git@x/y']) {
    await expect(download(request(source)), source).rejects.toThrow('download not supported for scheme')
  }
  await expect(download(request('git::http://127.0.0.1/x.git'))).rejects.toThrow('https only')
  await expect(download(request('local/file'))).rejects.toThrow('is no address')
})

test('sources are read as go-getter writes them', () => {
  const brief = (source: string) => {
    const { kind, url, inside, options } = parseSource(source, {})
    return [kind, url.href, inside, options]
  }
  expect(brief('github.com/owner/repo//sub/dir?ref=v1')).toEqual(['git', 'https://github.com/owner/repo.git', 'sub/dir', { ref: 'v1' }])
  expect(brief('git::https://host/x.git?depth=1')).toEqual(['git', 'https://host/x.git', '', { depth: '1' }])
  expect(brief('https://host/a.zip?archive=false&token=t')).toEqual(['http', 'https://host/a.zip?token=t', '', { archive: 'false' }])
})
