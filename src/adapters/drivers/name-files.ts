/**
 * The files by which the programs of a task find names, made anew for each start in its folder and put over those of its root.
 * Source: man pages resolv.conf(5), hosts(5).
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskMount, TaskPlace } from '../../agent/index.js'
import type { DNSConfig } from '../../domain/index.js'

const FOLDER = '.names'
const HOST_RESOLVER = '/etc/resolv.conf'

/** @param extraHosts as `name:address` */
export function nameMounts({ directories, network }: TaskPlace, extraHosts: readonly string[] = []): readonly TaskMount[] {
  const folder = join(directories.task, FOLDER)
  const dns = network.kind === 'namespace' ? network.status.DNS : network.dns
  // What a life before has left there, or put there, is nothing to write through.
  rmSync(folder, { recursive: true, force: true })
  return [
    ...(dns == null ? [] : [put(folder, 'resolv.conf', resolverText(dns, hostResolver()))]),
    ...(network.kind === 'namespace' ? [put(folder, 'hosts', hostsText(network.status.Address, network.hostname, extraHosts))] : []),
  ]
}

function put(folder: string, name: string, text: string): TaskMount {
  mkdirSync(folder, { recursive: true })
  const source = join(folder, name)
  writeFileSync(source, text)
  // What a file is made with is cut by the agent's umask, and whoever the task runs as has to read it.
  chmodSync(folder, 0o755)
  chmodSync(source, 0o644)
  return { source, target: `/etc/${name}`, isReadOnly: true, propagation: 'private' }
}

function hostResolver(): string {
  try {
    return readFileSync(HOST_RESOLVER, 'utf8')
  } catch {
    return ''
  }
}

/** What is not said is as on the host. */
export function resolverText({ Servers, Searches, Options }: DNSConfig, host: string): string {
  const words = host.split('\n').map((line) => line.trim().split(/\s+/))
  const ofHost = (keyword: string) => words.filter(([first]) => first === keyword).flatMap(([, ...rest]) => rest)
  const own = (said: readonly string[] | null, keyword: string) => (said !== null && said.length > 0 ? said : ofHost(keyword))
  const line = (keyword: string, values: readonly string[]) => (values.length === 0 ? [] : [[keyword, ...values].join(' ')])
  const lines = [
    ...own(Servers, 'nameserver').map((server) => `nameserver ${server}`),
    ...line('search', own(Searches, 'search')),
    ...line('options', own(Options, 'options')),
  ]
  return `${lines.join('\n')}\n`
}

/** @param address empty: it has none but its loopback's */
export function hostsText(address: string, hostname: string, extraHosts: readonly string[]): string {
  const extra = extraHosts.map((entry) => {
    const at = entry.indexOf(':')
    return `${entry.slice(at + 1)} ${entry.slice(0, at)}`
  })
  const lines = ['127.0.0.1 localhost', '::1 localhost ip6-localhost ip6-loopback', `${address || '127.0.0.1'} ${hostname}`, ...extra]
  return `${lines.join('\n')}\n`
}
