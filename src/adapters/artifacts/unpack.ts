/**
 * Archives: only plain files and folders come out of them. Links, devices and pipes are left out, names that lead outside end the
 * unpacking, and so does more than the limits allow, whatever the archive says of its own size.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, mkdir, stat, utimes } from 'node:fs/promises'
import { dirname, join, normalize, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Parser, type ReadEntry } from 'tar'
import { type Entry, open as openZip, type ZipFile } from 'yauzl'
import { DownloadFailure, type DownloadLimits } from './request.js'
import { SizeLimit } from './size-limit.js'

export type ArchiveKind = 'tar' | 'tar.gz' | 'zip' | 'gz'

const SUFFIXES: readonly (readonly [suffix: string, kind: ArchiveKind | 'unsupported'])[] = [
  ['.tar.gz', 'tar.gz'],
  ['.tgz', 'tar.gz'],
  ['.tar', 'tar'],
  ['.zip', 'zip'],
  ['.gz', 'gz'],
  ['.tar.bz2', 'unsupported'],
  ['.tbz2', 'unsupported'],
  ['.tar.xz', 'unsupported'],
  ['.txz', 'unsupported'],
  ['.tar.zst', 'unsupported'],
  ['.tzst', 'unsupported'],
  ['.bz2', 'unsupported'],
  ['.xz', 'unsupported'],
  ['.zst', 'unsupported'],
]

/** By the option, or else by the name. Undefined for what is none. @throws DownloadFailure */
export function archiveKindOf(name: string, option: string | undefined): ArchiveKind | undefined {
  if (option === 'false' || option === '0') return undefined
  const found = SUFFIXES.find(([suffix]) => (option === undefined ? name.endsWith(suffix) : `.${option}` === suffix))
  if (found?.[1] === 'unsupported') throw new DownloadFailure(`${found[0]} archives are not unpacked here; use .tar.gz, .tar, .zip or .gz`)
  return found?.[1]
}

/** What is left of the limits. */
interface Room {
  /** What it was to begin with, in words. */
  readonly most: string
  readonly bytes: { bytes: number }
  files: number
}

/** @param target empty folder; for `gz` the file. @throws DownloadFailure */
export async function unpack(archive: string, kind: ArchiveKind, target: string, limits: DownloadLimits): Promise<void> {
  const { size } = await stat(archive)
  const room = roomFor(size, limits)
  if (kind === 'zip') return unpackZip(archive, target, limits, room)
  if (kind === 'gz') return pipeline(createReadStream(archive), createGunzip(), limitOf(room), createWriteStream(target, { flags: 'wx' }))
  return unpackTar(archive, kind, target, limits, room)
}

/** What is worth packing seldom shrinks to a hundredth, and what comes of a few bytes without end is no artifact. */
function roomFor(archiveBytes: number, { unpackedBytesMax, unpackedTimesMax, unpackedBytesFree, filesMax }: DownloadLimits): Room {
  const bytes = Math.min(unpackedBytesMax, Math.max(unpackedBytesFree, archiveBytes * unpackedTimesMax))
  const times = bytes < unpackedBytesMax ? `, ${unpackedTimesMax} times its own size` : ''
  return { most: `${bytes} bytes${times}`, bytes: { bytes }, files: filesMax }
}

function limitOf({ most, bytes }: Room): SizeLimit {
  return new SizeLimit(bytes, `the unpacked archive has more than ${most}`)
}

/** Where a member goes. @throws DownloadFailure when that is outside, or one too many */
function placeOf(name: string, target: string, limits: DownloadLimits, room: Room): string {
  if (--room.files < 0) throw new DownloadFailure(`the archive has more than ${limits.filesMax} files`)
  const place = normalize(join(target, name))
  if (name.includes('\0') || name.startsWith('/') || (place !== target && !place.startsWith(target + sep))) {
    throw new DownloadFailure(`the archive has a file ${JSON.stringify(name)} that leads outside`)
  }
  return place
}

/** Its folder is there already: from the moment that there is a content somebody has to hear of its errors. */
async function put(content: Readable, place: string, mode: number, room: Room): Promise<void> {
  await pipeline(content, limitOf(room), createWriteStream(place, { flags: 'w' }))
  await chmod(place, mode & 0o777)
}

async function unpackTar(archive: string, kind: 'tar' | 'tar.gz', target: string, limits: DownloadLimits, room: Room): Promise<void> {
  const packed = createReadStream(archive)
  // Unpacked here, so that what comes out is counted before anything else sees it.
  const source = kind === 'tar.gz' ? packed.pipe(createGunzip()) : packed
  packed.on('error', (error) => source.destroy(error))
  const parser = new Parser({ strict: true })
  let work = Promise.resolve()
  const failed = new Promise<never>((_, reject) => {
    parser.on('error', (error: Error) => reject(new DownloadFailure(`the archive cannot be read: ${error.message}`)))
    source.on('error', (error: Error) => reject(new DownloadFailure(`the archive cannot be read: ${error.message}`)))
    parser.on('entry', (entry: ReadEntry) => {
      work = work.then(() => putEntry(entry, target, limits, room))
      work.catch(reject)
    })
  })
  const ended = new Promise<void>((resolve) => parser.on('end', resolve))
  source.on('data', (chunk: Buffer) => {
    if (!parser.write(chunk)) {
      source.pause()
      parser.once('drain', () => source.resume())
    }
  })
  source.on('end', () => parser.end())
  try {
    await Promise.race([ended.then(() => work), failed])
  } finally {
    source.destroy()
    packed.destroy()
  }
}

async function putEntry(entry: ReadEntry, target: string, limits: DownloadLimits, room: Room): Promise<void> {
  const place = placeOf(entry.path, target, limits, room)
  if (entry.type === 'Directory') {
    await mkdir(place, { recursive: true })
    entry.resume()
  } else if (entry.type === 'File' || entry.type === 'OldFile' || entry.type === 'ContiguousFile') {
    await mkdir(dirname(place), { recursive: true })
    await put(entry as unknown as Readable, place, entry.mode ?? 0o644, room)
    if (entry.mtime !== undefined) await utimes(place, entry.mtime, entry.mtime)
  } else entry.resume()
}

const UNIX_TYPE = 0o170000
const UNIX_FILE = 0o100000

async function unpackZip(archive: string, target: string, limits: DownloadLimits, room: Room): Promise<void> {
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    openZip(archive, { lazyEntries: true, validateEntrySizes: true }, (error, opened) =>
      error === null ? resolve(opened) : reject(unreadable(error)),
    )
  })
  try {
    await new Promise<void>((resolve, reject) => {
      zip.on('error', (error: Error) => reject(unreadable(error)))
      zip.on('end', resolve)
      zip.on('entry', (entry: Entry) => {
        putZipEntry(zip, entry, target, limits, room).then(() => zip.readEntry(), reject)
      })
      zip.readEntry()
    })
  } finally {
    zip.close()
  }
}

/** Of the disk, not of the archive. */
function isOfSystem(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall !== undefined
}

function unreadable(error: Error): DownloadFailure {
  return new DownloadFailure(`the archive cannot be read: ${error.message}`)
}

async function putZipEntry(zip: ZipFile, entry: Entry, target: string, limits: DownloadLimits, room: Room): Promise<void> {
  const place = placeOf(entry.fileName, target, limits, room)
  if (entry.fileName.endsWith('/')) {
    await mkdir(place, { recursive: true })
    return
  }
  const unixMode = entry.externalFileAttributes >>> 16
  const type = unixMode & UNIX_TYPE
  if (type !== 0 && type !== UNIX_FILE) return
  await mkdir(dirname(place), { recursive: true })
  const content = await new Promise<Readable>((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error === null ? resolve(stream) : reject(unreadable(error))))
  })
  try {
    await put(content, place, unixMode === 0 ? 0o644 : unixMode, room)
  } catch (error) {
    throw error instanceof DownloadFailure || isOfSystem(error) ? error : unreadable(error as Error)
  }
}
