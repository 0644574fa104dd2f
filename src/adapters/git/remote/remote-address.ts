/** Where a repository is: a folder of this machine, or a remote that git fetches from. */
import { TerminalError } from '../../../domain/index.js'

export type RepositoryAddress =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'remote'; readonly protocol: RemoteProtocol; readonly url: string; readonly host: string }

export type RemoteProtocol = 'file' | 'http' | 'https' | 'ssh'

/** `user@host:path`: a colon before any slash, as git itself tells it from a path. */
const SCP_LIKE = /^([A-Za-z0-9_][\w.-]*)@([A-Za-z0-9_][\w.-]*):(?!\/\/)(.+)$/
const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:/i
export const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** @throws TerminalError REPOSITORY for what names no repository, and for what would send or show a secret */
export function parseRepositoryAddress(text: string): RepositoryAddress {
  if (text === '' || text.startsWith('-') || /[\x00-\x1f\x7f]/.test(text)) throw refused(text, 'names no repository')
  const short = SCP_LIKE.exec(text)
  if (short !== null) return { kind: 'remote', protocol: 'ssh', url: text, host: short[2]! }
  if (!HAS_SCHEME.test(text)) return { kind: 'folder', path: text }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) throw refused(hideSecrets(text), 'is no address')
  if (url.password !== '') throw refused(hideSecrets(text), 'holds a password; put it into a file and name that with access.token_file')
  switch (url.protocol) {
    case 'file:':
      if (url.host !== '') throw refused(text, 'is on another machine; a file address has three slashes, as in file:///srv/jobs.git')
      return { kind: 'remote', protocol: 'file', url: text, host: '' }
    case 'https:':
      refuseUser(url, text)
      return { kind: 'remote', protocol: 'https', url: text, host: url.host }
    case 'http:':
      refuseUser(url, text)
      if (!LOOPBACK.test(url.hostname)) throw refused(text, 'is not encrypted; write https')
      return { kind: 'remote', protocol: 'http', url: text, host: url.host }
    case 'ssh:':
      if (url.hostname.startsWith('-')) throw refused(text, 'is no address')
      return { kind: 'remote', protocol: 'ssh', url: text, host: url.host }
    default:
      throw refused(hideSecrets(text), `is fetched by ${url.protocol.slice(0, -1)}; Drover fetches by https, ssh and file`)
  }
}

function refuseUser(url: URL, text: string): void {
  if (url.username !== '') throw refused(hideSecrets(text), 'names a user; say who it is with access.username')
}

/** Whatever stands before the host of an address: tokens are written there too. */
export function hideSecrets(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/gi, '$1***@')
}

function refused(text: string, why: string): TerminalError {
  return new TerminalError('REPOSITORY', `the repository ${text} ${why}`)
}
