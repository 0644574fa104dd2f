import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where a person's key is, unless it is said. */
export function defaultKeyFile(env: Readonly<Record<string, string | undefined>>): string {
  return join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'drover', 'identity.txt')
}
