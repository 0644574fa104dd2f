/** What of the server's configuration says which repository is followed, and how it is reached. */
import { z } from 'zod'
import { parseFollowedRef } from '../adapters/git/followed-ref.js'
import type { RemoteAccess } from '../adapters/git/remote/remote-access.js'
import { parseRepositoryAddress, type RepositoryAddress } from '../adapters/git/remote/remote-address.js'
import type { Secret } from '../adapters/secret.js'
import type { Webhook } from '../adapters/webhooks.js'
import { explainError } from '../domain/index.js'

/** What stands for itself, whatever branches and tags there will be. */
export const FULL_REF = /^(HEAD|refs\/.+|[0-9a-f]{40}|[0-9a-f]{64})$/

/** What ssh reads as it stands: its own quotes and percent signs would mean something else. */
const sshPath = z.string().regex(/^[^"%\n]+$/, 'a path without quotes, percent signs and line breaks')

const environmentName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable')

/** How this server proves who it is to a remote. Paths and names only: no secret stands in a configuration. */
const accessSchema = z.strictObject({
  /** For https, beside the token. */
  username: z
    .string()
    .regex(/^[^\n]+$/)
    .default('x-access-token'),
  /** A file whose first line is the token, or an environment variable that holds it. */
  token_file: z.string().min(1).optional(),
  token_env: environmentName.optional(),
  ca_file: z.string().min(1).optional(),
  client_cert_file: z.string().min(1).optional(),
  client_key_file: z.string().min(1).optional(),
  /** Absent: the keys of the user that the server runs as. */
  ssh_key_file: sshPath.optional(),
  /** The keys of the hosts that are believed, one a line, as ssh writes them. */
  known_hosts_file: sshPath.optional(),
})

/** Of a forge that says when there is something new. */
const webhookSchema = z
  .strictObject({
    forge: z.enum(['github', 'gitlab', 'gitea', 'generic']),
    secret_file: z.string().min(1).optional(),
    secret_env: environmentName.optional(),
  })
  .refine(
    (webhook) => (webhook.secret_file === undefined) !== (webhook.secret_env === undefined),
    'secret_file or secret_env is needed, one of them',
  )

export const sourceSchema = z
  .strictObject({
    /** A folder, or the address of a remote: https://…, ssh://…, user@host:path, file:///… */
    repository: z.string().min(1),
    ref: z
      .string()
      .regex(
        FULL_REF,
        'must be HEAD, a full ref such as refs/heads/main, or a whole commit id: a short name may come to mean something else',
      )
      .default('HEAD'),
    /** Which tags of `refs/tags/v*` are wanted: the highest version in this range is followed. */
    versions: z.string().optional(),
    rewind: z.enum(['hold', 'follow']).default('hold'),
    /** Absent: 2 for a folder, where it only backs up the events, and 30 for a remote. */
    poll_seconds: z.number().positive().optional(),
    /** A fetch that takes longer is given up. */
    fetch_timeout_seconds: z.number().positive().default(600),
    /** `polling` where the file system sends no events: NFS, SMB, folders shared with a virtual machine. */
    watch: z.enum(['events', 'polling']).default('events'),
    access: accessSchema.optional(),
    webhook: webhookSchema.optional(),
  })
  .superRefine((source, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    refuseThrown(['ref'], () => parseFollowedRef(source.ref, source.versions))
    const address = refuseThrown(['repository'], () => parseRepositoryAddress(source.repository))
    if (address === undefined) return
    const { access } = source
    if (access === undefined) {
      if (isSsh(address)) refuse(['access'], 'known_hosts_file is needed for ssh: which keys the host may show')
      return
    }
    if (address.kind === 'folder') return refuse(['access'], 'is for remotes, and the repository is a folder')
    const isWeb = address.protocol === 'https' || address.protocol === 'http'
    const web = ['token_file', 'token_env', 'ca_file', 'client_cert_file', 'client_key_file'] as const
    const ssh = ['ssh_key_file', 'known_hosts_file'] as const
    for (const name of isWeb ? ssh : web)
      if (access[name] !== undefined) refuse(['access', name], `is not for a repository that is fetched by ${address.protocol}`)
    if (address.protocol === 'file')
      for (const name of ssh) if (access[name] !== undefined) refuse(['access', name], 'is not for a repository that is fetched by file')
    if (address.protocol === 'ssh' && access.known_hosts_file === undefined)
      refuse(['access', 'known_hosts_file'], 'is needed for ssh: which keys the host may show')
    if (access.token_file !== undefined && access.token_env !== undefined)
      refuse(['access', 'token_env'], 'token_file is given too; one of them is enough')
    if ((access.client_cert_file === undefined) !== (access.client_key_file === undefined))
      refuse(['access', 'client_key_file'], 'client_cert_file and client_key_file go together')

    function refuseThrown<Result>(path: string[], work: () => Result): Result | undefined {
      try {
        return work()
      } catch (error) {
        refuse(path, explainError(error))
        return undefined
      }
    }
  })

function isSsh(address: RepositoryAddress): boolean {
  return address.kind === 'remote' && address.protocol === 'ssh'
}

export type SourceConfig = z.infer<typeof sourceSchema>

export function remoteAccessOf({ access }: SourceConfig): RemoteAccess {
  const given = <Name extends string>(name: Name, value: string | undefined) =>
    value === undefined ? {} : ({ [name]: value } as Record<Name, string>)
  return {
    username: access?.username ?? '',
    ...(access?.token_file === undefined ? {} : { token: { kind: 'file', path: access.token_file } }),
    ...(access?.token_env === undefined ? {} : { token: { kind: 'environment', name: access.token_env } }),
    tls: {
      ...given('caFile', access?.ca_file),
      ...given('certFile', access?.client_cert_file),
      ...given('keyFile', access?.client_key_file),
    },
    ssh: { ...given('keyFile', access?.ssh_key_file), ...given('knownHostsFile', access?.known_hosts_file) },
  }
}

/** The one source of a cluster is called so. */
const SOURCE_NAME = 'default'

export function webhooksOf({ webhook }: SourceConfig): readonly Webhook[] {
  if (webhook === undefined) return []
  const { forge, secret_file, secret_env } = webhook
  const secret: Secret = secret_file === undefined ? { kind: 'environment', name: secret_env! } : { kind: 'file', path: secret_file }
  return [{ source: SOURCE_NAME, forge, secret }]
}
