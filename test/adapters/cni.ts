/** What tests of networks need of the host. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const PLUGIN_FOLDERS = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni']

/** Root, with CNI plugins and iptables. */
export function hasBridges(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/sbin/iptables') && PLUGIN_FOLDERS.some((folder) => existsSync(join(folder, 'bridge')))
}
