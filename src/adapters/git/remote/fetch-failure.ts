/**
 * Why git could not fetch, in one sentence with the remedy. git tells it on its error output, in English since its locale is set; what
 * the remote itself says there (lines that begin with `remote:`) decides nothing.
 */
import type { FetchOutcome } from '../../../controller/index.js'
import { nameSecret } from '../../secret.js'
import type { RemoteAccess } from './remote-access.js'
import { hideSecrets } from './remote-address.js'

export interface FetchFailure {
  readonly url: string
  /** What was asked for, as the configuration has it. */
  readonly ref: string
  readonly access: RemoteAccess
  readonly stderr: string
  /** Of the last answer over HTTP; 0 where there was none. */
  readonly httpStatus: number
  /** What the remote asks to wait; null: nothing. */
  readonly retryAfterMs: number | null
  /** git was ended because it took longer than this; null: it ended by itself. */
  readonly endedAfterMs: number | null
}

interface Rule {
  /** There is a remote, and what is asked for is not there. */
  readonly isMissing?: true
  readonly when: RegExp | ((failure: FetchFailure) => boolean)
  readonly say: (failure: FetchFailure) => string
}

const CHANGED_KEY = /REMOTE HOST IDENTIFICATION HAS CHANGED/
const FINGERPRINT = /^(SHA256:\S+?)\.?$/m

/** The first that fits, the most certain first. */
const RULES: readonly Rule[] = [
  {
    when: ({ endedAfterMs }) => endedAfterMs !== null,
    say: ({ endedAfterMs }) => `did not finish within ${endedAfterMs! / 1000} s; it is tried again`,
  },
  {
    when: ({ httpStatus, retryAfterMs }) => httpStatus === 429 || (httpStatus === 503 && retryAfterMs !== null),
    say: ({ httpStatus }) =>
      `asks to be left alone for a while (HTTP ${httpStatus}); it is asked again when it said, and less often with source.poll_seconds`,
  },
  {
    when: CHANGED_KEY,
    say: ({ stderr, access }) =>
      `shows another host key than the one it is known by (${FINGERPRINT.exec(stderr)?.[1] ?? 'unknown'}): somebody may stand between; if the host was given a new key, ` +
      `ask its operator for it and put it into ${knownHosts(access)}`,
  },
  {
    when: /Host key verification failed|No \S+ host key is known/,
    say: ({ access }) => `is a host whose key is not known; ask its operator for the key and put it into ${knownHosts(access)}`,
  },
  {
    when: /UNPROTECTED PRIVATE KEY FILE|bad permissions/i,
    say: ({ access }) => `was not asked, since ssh refuses a key that others may read; chmod 600 ${access.ssh.keyFile ?? 'the key'}`,
  },
  {
    when: /Permission denied \(|no such identity|Too many authentication failures/,
    say: ({ access }) =>
      access.ssh.keyFile === undefined
        ? 'lets none of the keys of this user in; add one as a deploy key there, or name its file with access.ssh_key_file'
        : `does not let the key ${access.ssh.keyFile} in; add ${access.ssh.keyFile}.pub there as a deploy key`,
  },
  {
    when: ({ httpStatus, stderr }) => httpStatus === 401 || /Authentication failed|could not read (Username|Password)/.test(stderr),
    say: ({ access }) => refusedToken(access),
  },
  {
    when: ({ httpStatus }) => httpStatus === 403,
    say: ({ access }) => `allows this reader nothing (HTTP 403); let ${tokenName(access)} read the repository`,
  },
  {
    when: ({ httpStatus, stderr }) =>
      httpStatus === 404 || /repository '.*' not found|does not appear to be a git repository|Repository not found/i.test(stderr),
    say: () => 'has no repository there, or shows it only to others; check source.repository, and what the credentials may read',
  },
  {
    when: ({ httpStatus }) => httpStatus >= 300 && httpStatus < 400,
    say: ({ httpStatus }) =>
      `leads elsewhere (HTTP ${httpStatus}), and credentials are not carried there; write the new address into source.repository`,
  },
  {
    isMissing: true,
    when: /couldn't find remote ref|Remote branch .* not found/,
    say: ({ ref }) => `has no ${ref}; push it, or name another; what runs stays as it is`,
  },
  {
    isMissing: true,
    when: /not our ref|does not allow request for unadvertised object/,
    say: ({ ref }) => `does not have the commit ${ref}, or does not give it out; push a branch or tag that holds it`,
  },
  {
    when: /certificate|SSL|TLS|gnutls/i,
    say: ({ access }) =>
      `could not be trusted: ${access.tls.caFile === undefined ? 'its certificate is of no authority that this machine knows; name it with access.ca_file' : `its certificate is not of an authority in ${access.tls.caFile}`}`,
  },
  {
    when: /Could not resolve host|Failed to connect|Connection (refused|reset|timed out|closed)|Network is unreachable|No route to host|Operation timed out|Could not resolve hostname|Couldn't connect/i,
    say: () => 'does not answer; it is tried again, and what runs stays as it is',
  },
  { when: /No space left on device|Disk quota exceeded/, say: () => 'could not be stored: the disk of the data folder is full; make room' },
  {
    when: /fsck error|error in object|bad object|unresolved deltas|inflate|index-pack|SHA1 COLLISION/i,
    say: ({ stderr }) => `sent objects that are damaged, and nothing of them was kept; run git fsck there (${lastLine(stderr)})`,
  },
  {
    when: /early EOF|unexpected disconnect|hung up unexpectedly|bad pack header|RPC failed|transfer closed|pack is corrupted|fetch-pack/i,
    say: () => 'broke off in the middle, and nothing of what it sent was kept; it is tried again',
  },
  { when: ({ httpStatus }) => httpStatus >= 500, say: ({ httpStatus }) => `is in trouble (HTTP ${httpStatus}); it is tried again` },
]

/** @returns a failure of the remote, or of the way to it, for people */
export function explainFetchFailure(failure: FetchFailure): FetchOutcome & { readonly kind: 'failed' } {
  const stderr = failure.stderr
    .split('\n')
    .filter((line) => !line.startsWith('remote:'))
    .join('\n')
  const heard = { ...failure, stderr }
  const rule = RULES.find(({ when }) => (when instanceof RegExp ? when.test(stderr) : when(heard)))
  const why = rule === undefined ? `could not be fetched: ${lastLine(stderr)}` : rule.say(heard)
  return { kind: 'failed', problem: `${failure.url} ${why}`, retryAfterMs: failure.retryAfterMs, isMissing: rule?.isMissing === true }
}

/** git's own word, which names the address it was given. */
function lastLine(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => /^(fatal|error):/.test(line))
  return hideSecrets(lines.at(-1)?.replace(/^(fatal|error): /, '') ?? 'git says nothing').slice(0, 300)
}

function refusedToken(access: RemoteAccess): string {
  if (access.token === undefined)
    return 'asks who reads it; name a token with access.token_file or access.token_env (drover dev: put it into DROVER_GIT_TOKEN)'
  return `refuses ${tokenName(access)}; put one there that is valid and may read the repository`
}

function tokenName({ token }: RemoteAccess): string {
  return token === undefined ? 'everybody' : nameSecret('token', token)
}

function knownHosts({ ssh }: RemoteAccess): string {
  return ssh.knownHostsFile ?? '~/.ssh/known_hosts'
}
