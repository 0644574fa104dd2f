/**
 * Under which names this server answers. A page of somebody else's may make its own name point here, and its scripts would then read this API
 * as if it were theirs; their requests still carry that name. Addresses cannot be made to point elsewhere.
 */
import { hostname } from 'node:os'

export type HostCheck = (host: string | undefined) => boolean

/** @param allowed names beside those of this machine; `.example.org` stands for all below it, `*` for any */
export function createHostCheck(listen: string, allowed: readonly string[]): HostCheck {
  const own = hostname().toLowerCase()
  const names = new Set(['localhost', own, own.split('.')[0]!, nameOf(listen), ...allowed.map((name) => name.toLowerCase())])
  const endings = [...names].filter((name) => name.startsWith('.'))
  const isOwn = (host: string) => {
    const name = nameOf(host)
    return isAddress(name) || names.has(name) || name.endsWith('.localhost') || endings.some((ending) => name.endsWith(ending))
  }
  // Most requests name the same one.
  let last = ''
  return (host) => {
    // A client of HTTP/1.0 is no browser.
    if (host === undefined || host === last || names.has('*')) return true
    if (!isOwn(host)) return false
    last = host
    return true
  }
}

/** Without the port, and without the dot that makes a name absolute. */
function nameOf(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
}

function isAddress(name: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || (name.includes(':') && /^[0-9a-f:.%]+$/.test(name))
}
