/** What of the server's configuration says which repository is followed, and how it is reached. */
import * as z from 'zod'
import { createForge } from '../adapters/forges/forges.js'
import type { SignatureKeys } from '../adapters/git/commit-signatures.js'
import { COMMIT_ID, parseFollowedRef } from '../adapters/git/followed-ref.js'
import type { RemoteAccess } from '../adapters/git/remote/remote-access.js'
import { LOOPBACK, parseRepositoryAddress, type RepositoryAddress } from '../adapters/git/remote/remote-address.js'
import type { Secret } from '../adapters/secret.js'
import type { Webhook } from '../adapters/webhooks.js'
import type { Forge, TrustRules } from '../controller/index.js'
import { explainError, SOURCE_DEFAULT, type SourceLimits } from '../domain/index.js'
import { OVERLAY_NAME } from '../jobspec/index.js'

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

/** Whose commits count. Stands here and not in the repository: what it binds must not be able to change it. */
const trustSchema = z
  .strictObject({
    /** `head`: the newest commit has to be signed; `strict`: every commit after `root`. */
    mode: z.enum(['none', 'head', 'strict']),
    root: z.string().regex(COMMIT_ID, 'a whole commit id').optional(),
    allowed_signers_file: z.string().min(1).optional(),
    gpg_keys_file: z.string().min(1).optional(),
    /** What some of the signers alone may change: a file, or a folder with all below it. */
    paths: z
      .array(
        z
          .strictObject({
            path: z.string().regex(/^[^/].*[^/]$/, 'a path from the top of the repository, without slashes at its ends'),
            signers: z.array(z.string().min(1)).min(1),
            required: z.int().positive().default(1),
          })
          .refine(({ signers, required }) => required <= new Set(signers).size, 'required is more than there are signers'),
      )
      .default([]),
  })
  .superRefine((trust, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if (trust.mode === 'none') return
    if (trust.allowed_signers_file === undefined && trust.gpg_keys_file === undefined)
      refuse('mode', 'needs allowed_signers_file (ssh) or gpg_keys_file: whose signatures count')
    if (trust.mode === 'strict' && trust.root === undefined)
      refuse('root', 'is needed in strict mode: the commit that is trusted as it is, after which every one is signed')
    if (trust.mode === 'head' && trust.root !== undefined) refuse('root', 'is for strict mode')
    if (trust.mode === 'head' && trust.paths.length > 0) refuse('paths', 'is for strict mode: only there every commit has a signer')
  })

const FORGE_APIS = { github: 'https://api.github.com', gitlab: 'https://gitlab.com/api/v4', gitea: undefined } as const

/** Where requests to merge are told what they would do. */
const forgeSchema = z
  .strictObject({
    kind: z.enum(['github', 'gitlab', 'gitea']),
    project: z.string().regex(/^[\w.-]+(\/[\w.-]+)+$/, 'owner/name'),
    /** Absent: that of github.com or gitlab.com. */
    api: z.url({ protocol: /^https?$/ }).optional(),
    token_file: z.string().min(1).optional(),
    token_env: environmentName.optional(),
    poll_seconds: z.number().min(5).default(60),
  })
  .superRefine((forge, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if ((forge.token_file === undefined) === (forge.token_env === undefined)) refuse('token_file', 'or token_env is needed, one of them')
    if (forge.api === undefined && FORGE_APIS[forge.kind] === undefined)
      refuse('api', 'is needed: where it is, as in https://git.example.org/api/v1')
    if (forge.api !== undefined && !isPrivate(forge.api)) refuse('api', 'is not encrypted; write https')
  })

/** Whether others on the way can read what is said. */
function isPrivate(address: string): boolean {
  const url = new URL(address)
  return url.protocol === 'https:' || LOOPBACK.test(url.hostname)
}

const sourceShape = {
  /** A folder, or the address of a remote: https://…, ssh://…, user@host:path, file:///… */
  repository: z.string().min(1),
  ref: z
    .string()
    .regex(FULL_REF, 'must be HEAD, a full ref such as refs/heads/main, or a whole commit id: a short name may come to mean something else')
    .default('HEAD'),
  /** Files that carry this name, as in web.prod.vars.hcl, count too. */
  overlay: z.string().regex(OVERLAY_NAME, 'a name of letters, digits, "-" and "_"').optional(),
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
  trust: trustSchema.optional(),
  forge: forgeSchema.optional(),
}

/** Names, which may end in `*` for any rest. */
const names = z.array(z.string().regex(/^[^\s*]*\*?$/, 'a name, which may end in *')).default([])

/** That of a job that names none. */
const PRIORITY_MAX_DEFAULT = 50

/** What the files of a source may say, beside the first. What is not named is not allowed. */
const allowSchema = z.strictObject({
  namespaces: names,
  node_pools: names,
  drivers: names,
  privileged: z.boolean().default(false),
  host_volumes: names,
  priority_max: z.int().min(1).max(100).default(PRIORITY_MAX_DEFAULT),
})

export const sourceSchema = z.strictObject(sourceShape).superRefine(checkSource)

const furtherSourceSchema = z.strictObject({ ...sourceShape, allow: allowSchema }).superRefine(checkSource)

/** As it stands in paths, metrics and sentences. */
const SOURCE_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/

export const sourcesSchema = z
  .record(z.string().regex(SOURCE_NAME, 'a name of small letters, digits and "-"'), furtherSourceSchema)
  .refine((sources) => sources[SOURCE_DEFAULT] === undefined, `"${SOURCE_DEFAULT}" is the name of the first one, which stands in source`)
  .default({})

function checkSource(source: z.infer<z.ZodObject<typeof sourceShape>>, context: z.RefinementCtx): void {
  const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
  if (source.trust !== undefined && source.trust.mode !== 'none' && source.rewind === 'follow')
    refuse(['rewind'], 'must be hold where signatures are asked for: an old commit is signed too')
  refuseThrown(['ref'], () => parseFollowedRef(source.ref, source.versions))
  const address = refuseThrown(['repository'], () => parseRepositoryAddress(source.repository))
  if (address === undefined) return
  if (source.forge !== undefined && (address.kind === 'folder' || !source.ref.startsWith('refs/heads/')))
    refuse(['forge'], 'is for a remote whose branch is followed: ref must be of the form refs/heads/main')
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
}

function isSsh(address: RepositoryAddress): boolean {
  return address.kind === 'remote' && address.protocol === 'ssh'
}

export type SourceConfig = z.infer<typeof sourceSchema>

export function remoteAccessOf({ access }: SourceConfig): RemoteAccess {
  const given = <Name extends string>(name: Name, value: string | undefined) =>
    value === undefined ? {} : ({ [name]: value } as Record<Name, string>)
  return {
    username: access?.username ?? '',
    ...(access?.token_file === undefined && access?.token_env === undefined
      ? {}
      : { token: secretAt(access.token_file, access.token_env) }),
    tls: {
      ...given('caFile', access?.ca_file),
      ...given('certFile', access?.client_cert_file),
      ...given('keyFile', access?.client_key_file),
    },
    ssh: { ...given('keyFile', access?.ssh_key_file), ...given('knownHostsFile', access?.known_hosts_file) },
  }
}

/** Of the two one is given: the schema sees to it. */
function secretAt(file: string | undefined, variable: string | undefined): Secret {
  return file === undefined ? { kind: 'environment', name: variable! } : { kind: 'file', path: file }
}

/** @param allow undefined: anything */
export function limitsOf(allow: z.infer<typeof allowSchema> | undefined): SourceLimits | undefined {
  if (allow === undefined) return undefined
  const { namespaces, node_pools, drivers, privileged, host_volumes, priority_max } = allow
  return { namespaces, nodePools: node_pools, drivers, privileged, hostVolumes: host_volumes, priorityMax: priority_max }
}

export function webhooksOf(id: string, { webhook }: SourceConfig): readonly Webhook[] {
  if (webhook === undefined) return []
  const { forge, secret_file, secret_env } = webhook
  return [{ source: id, forge, secret: secretAt(secret_file, secret_env) }]
}

/** Undefined where everybody's commits count. @param gpgHome a folder of this server's own */
export function trustOf(
  { trust }: SourceConfig,
  gpgHome: string,
): { readonly rules: TrustRules; readonly keys: SignatureKeys } | undefined {
  if (trust === undefined || trust.mode === 'none') return undefined
  const { allowed_signers_file, gpg_keys_file, paths } = trust
  const rules: TrustRules = trust.mode === 'head' ? { mode: 'head' } : { mode: 'strict', root: trust.root!, paths }
  const keys = {
    gpgHome,
    ...(allowed_signers_file === undefined ? {} : { allowedSignersFile: allowed_signers_file }),
    ...(gpg_keys_file === undefined ? {} : { gpgKeysFile: gpg_keys_file }),
  }
  return { rules, keys }
}

/** @param nowMs since the epoch: forges say until when they want to be left alone */
export function forgeOf({ forge }: SourceConfig, nowMs: () => number): Forge | undefined {
  if (forge === undefined) return undefined
  const { kind, project, token_file, token_env } = forge
  const api = (forge.api ?? FORGE_APIS[kind]!).replace(/\/+$/, '')
  return createForge({ kind, api, project, token: secretAt(token_file, token_env), nowMs })
}
