/** One artifact into an empty folder: fetched, verified, unpacked. */
import { cp, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { verifyChecksum } from './checksum.js'
import { downloadGit } from './git-download.js'
import { downloadHttp } from './http-download.js'
import { DownloadFailure, type DownloadOutcome, type DownloadRequest } from './request.js'
import { type ArtifactSource, parseSource } from './source.js'
import { archiveKindOf, unpack } from './unpack.js'

/** What is asked for is below `out`; the rest of the folder is the process's own. @throws DownloadFailure */
export async function download(request: DownloadRequest): Promise<Extract<DownloadOutcome, { kind: 'done' }>> {
  const source = parseSource(request.source, request.options)
  if (request.isInsecure && !request.limits.allowsInsecure) {
    throw new DownloadFailure('insecure is refused; allow it by artifacts.allow_insecure in the configuration of this agent')
  }
  const out = join(request.folder, 'out')
  await mkdir(out)
  return source.kind === 'git' ? fetchGit(source, out, request) : fetchHttp(source, out, request)
}

async function fetchGit(
  source: ArtifactSource,
  out: string,
  request: DownloadRequest,
): Promise<Extract<DownloadOutcome, { kind: 'done' }>> {
  if (request.mode === 'file') throw new DownloadFailure('a repository is a folder; use mode "dir" or "any"')
  const clone = join(request.folder, 'clone')
  await mkdir(clone)
  await downloadGit(source.url, clone, source.options, request)
  await takeInside(clone, source.inside, out)
  return { kind: 'done', isFile: false, name: '' }
}

async function fetchHttp(
  source: ArtifactSource,
  out: string,
  request: DownloadRequest,
): Promise<Extract<DownloadOutcome, { kind: 'done' }>> {
  const { url, options, inside } = source
  const name = options.filename ?? (basename(decodeURIComponent(url.pathname)) || 'index')
  if (name.includes('/') || name === '..' || name === '.') throw new DownloadFailure(`${JSON.stringify(name)} is no name for a file`)
  const packed = join(request.folder, 'packed')
  await downloadHttp(url, packed, request)
  if (options.checksum !== undefined) {
    const fetchList = async (list: string) => {
      const path = join(request.folder, 'checksums')
      await downloadHttp(new URL(list, url), path, request)
      return path
    }
    await verifyChecksum(packed, basename(url.pathname), options.checksum, name, fetchList)
  }
  const kind = archiveKindOf(url.pathname, options.archive)
  if (kind === undefined) return single(packed, out, name, inside, request)
  if (kind === 'gz') {
    const unpacked = name.replace(/\.gz$/, '')
    await unpack(packed, kind, join(out, unpacked), request.limits)
    return { kind: 'done', isFile: true, name: unpacked }
  }
  const folder = join(request.folder, 'unpacked')
  await mkdir(folder)
  await unpack(packed, kind, folder, request.limits)
  await takeInside(folder, inside, out)
  return request.mode === 'file' ? onlyFile(out) : { kind: 'done', isFile: false, name: '' }
}

async function single(
  packed: string,
  out: string,
  name: string,
  inside: string,
  { mode }: DownloadRequest,
): Promise<Extract<DownloadOutcome, { kind: 'done' }>> {
  if (mode === 'dir') throw new DownloadFailure(`${name} is a file and no archive; use mode "file" or "any"`)
  if (inside !== '') throw new DownloadFailure(`subdir ${JSON.stringify(inside)} not found: ${name} is no archive`)
  await rename(packed, join(out, name))
  return { kind: 'done', isFile: true, name }
}

async function takeInside(folder: string, inside: string, out: string): Promise<void> {
  const wanted = join(folder, inside)
  const found = await stat(wanted).catch(() => undefined)
  if (found === undefined) throw new DownloadFailure(`subdir ${JSON.stringify(inside)} not found`)
  if (found.isFile()) return rename(wanted, join(out, basename(inside)))
  await cp(wanted, out, { recursive: true, preserveTimestamps: true })
  await rm(folder, { recursive: true, force: true })
}

async function onlyFile(out: string): Promise<Extract<DownloadOutcome, { kind: 'done' }>> {
  const entries = await readdir(out, { withFileTypes: true })
  const [only] = entries
  if (entries.length !== 1 || only?.isFile() !== true)
    throw new DownloadFailure(`expected a single file, the archive has ${entries.length} at its top`)
  return { kind: 'done', isFile: true, name: only.name }
}
