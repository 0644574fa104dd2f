/** What the host's file says of `exec` and `java`. Source: Nomad docs, "Isolated Exec", "Client Configuration", "chroot_env". */
import * as z from 'zod'

/** Of the host, what a task has in its own root to run programs with; the same paths, read-only. */
const DEFAULT_CHROOT: Readonly<Record<string, string>> = Object.fromEntries(
  ['/bin', '/etc', '/lib', '/lib32', '/lib64', '/run/resolvconf', '/run/systemd/resolve', '/sbin', '/usr'].map((path) => [path, path]),
)

const absolute = z.string().startsWith('/', 'an absolute path')

export const execOptionsSchema = z.strictObject({
  enabled: z.boolean().default(true),
  /** Paths of the host to where they are in the task's root. What is not there is left out. */
  chroot: z.record(absolute, absolute).default(DEFAULT_CHROOT),
  /** Capabilities that a job may add; without one that it adds a task has none. */
  allow_caps: z.array(z.string()).default(['net_bind_service']),
  /** Users that no task may run as. */
  denied_users: z.array(z.string()).default(['root']),
  /** Processes and threads of one task; 0: any number. */
  pids_limit: z.int().nonnegative().default(4_096),
})

export type ExecOptions = z.output<typeof execOptionsSchema>
