/** `sha256:…`, `md5:…`, a bare digest whose length tells its kind, or `file:<url>` of a list that holds it. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { DownloadFailure } from './request.js'

const LENGTHS: Readonly<Record<number, string>> = { 32: 'md5', 40: 'sha1', 64: 'sha256', 128: 'sha512' }
const KINDS = new Set(Object.values(LENGTHS))

/** @param fetchList downloads a list of checksums to a file and yields its path. @throws DownloadFailure */
export async function verifyChecksum(
  file: string,
  name: string,
  wanted: string,
  shownPath: string,
  fetchList: (url: string) => Promise<string>,
): Promise<void> {
  const plain = wanted.startsWith('file:') ? await findInList(await fetchList(wanted.slice('file:'.length)), name) : wanted
  const [kind, digest] = plain.includes(':') ? split(plain) : [LENGTHS[plain.length] ?? '', plain]
  if (!KINDS.has(kind) || !/^[0-9a-f]+$/i.test(digest))
    throw new DownloadFailure(
      `invalid checksum ${JSON.stringify(wanted)}; write md5:, sha1:, sha256: or sha512: and the digest in hexadecimal`,
    )
  const hash = createHash(kind)
  await pipeline(createReadStream(file), hash)
  const got = hash.digest('hex')
  if (got === digest.toLowerCase()) return
  throw new DownloadFailure(`Checksums did not match for ${shownPath}.\nExpected: ${digest}\nGot: ${got}\n*${kind}.digest`)
}

function split(text: string): readonly [string, string] {
  const at = text.indexOf(':')
  return [text.slice(0, at), text.slice(at + 1)]
}

/** Lines of `<digest> [*]<name>`, or `<KIND> (<name>) = <digest>`; a list of one line may name nothing. */
async function findInList(list: string, name: string): Promise<string> {
  const lines = (await readFile(list, 'utf8')).split('\n').map((line) => line.trim())
  for (const line of lines) {
    const tagged = /^\w+ \((.+)\) = ([0-9a-f]+)$/i.exec(line)
    const plain = /^([0-9a-f]+)\s+\*?(.+)$/i.exec(line)
    if (tagged !== null && baseName(tagged[1]!) === name) return tagged[2]!
    if (plain !== null && baseName(plain[2]!) === name) return plain[1]!
  }
  const [only] = lines
  if (lines.filter((line) => line !== '').length === 1 && /^[0-9a-f]+$/i.test(only ?? '')) return only!
  throw new DownloadFailure(`the list of checksums has none for ${name}`)
}

function baseName(path: string): string {
  return path.split('/').at(-1) ?? ''
}
