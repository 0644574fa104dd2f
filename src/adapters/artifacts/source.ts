/** An artifact's source as go-getter writes them: a getter in front, a folder inside behind `//`, options in the query. */
import { DownloadFailure } from './request.js'

export interface ArtifactSource {
  readonly kind: 'http' | 'git'
  readonly url: URL
  /** The part of what is fetched that is wanted; '' for all of it. */
  readonly inside: string
  readonly options: Readonly<Record<string, string>>
}

/** Options that are taken out of the query; everything else in it belongs to the server that is asked. */
const OPTIONS = ['archive', 'checksum', 'filename', 'ref', 'depth', 'sshkey']
const FORCED = /^([a-z0-9]+)::(.*)$/s
const SHORTHAND = /^(github\.com|gitlab\.com|bitbucket\.org)\/([^/]+)\/([^/?]+)(.*)$/s

/** @throws DownloadFailure */
export function parseSource(source: string, given: Readonly<Record<string, string>>): ArtifactSource {
  const forced = FORCED.exec(source)
  const shorthand = SHORTHAND.exec(source)
  const getter = forced?.[1] ?? (shorthand === null ? '' : 'git')
  const address = forced?.[2] ?? (shorthand === null ? source : expand(shorthand))
  if (getter !== '' && getter !== 'git' && getter !== 'http' && getter !== 'https') throw unsupported(getter)
  const { url: plain, inside } = splitInside(address)
  if (!URL.canParse(plain))
    throw new DownloadFailure(`${JSON.stringify(source)} is no address; write http://…, https://… or git::https://…`)
  const url = new URL(plain)
  const scheme = url.protocol.slice(0, -1)
  if (scheme !== 'http' && scheme !== 'https') throw unsupported(scheme)
  const options: Record<string, string> = { ...given }
  for (const name of OPTIONS) {
    const value = url.searchParams.get(name)
    if (value === null) continue
    options[name] = value
    url.searchParams.delete(name)
  }
  const isGit = getter === 'git' || (getter === '' && url.pathname.endsWith('.git'))
  return { kind: isGit ? 'git' : 'http', url, inside, options }
}

function unsupported(scheme: string): DownloadFailure {
  return new DownloadFailure(`download not supported for scheme '${scheme}'; there are http, https and git over https`)
}

function expand([, host, owner, name, rest]: RegExpExecArray): string {
  return `https://${host}/${owner}/${name!.replace(/\.git$/, '')}.git${rest}`
}

/** `https://host/a.zip//sub/dir?x=y` is `sub/dir` of `https://host/a.zip?x=y`. */
function splitInside(address: string): { readonly url: string; readonly inside: string } {
  const start = address.indexOf('://')
  const at = address.indexOf('//', start < 0 ? 0 : start + 3)
  if (at < 0) return { url: address, inside: '' }
  const [inside = '', query] = address.slice(at + 2).split('?')
  const parts = inside.split('/')
  if (parts.includes('..')) throw new DownloadFailure(`the folder ${inside} leads out of the artifact`)
  return { url: address.slice(0, at) + (query === undefined ? '' : `?${query}`), inside }
}
