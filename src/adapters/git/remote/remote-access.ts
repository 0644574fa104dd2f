/**
 * How git proves who it is to a remote, and how it knows that the remote is the right one. Secrets stay where they are: git asks for a
 * token when it needs it, through a helper that reads the file or the variable, so no command line and no configuration ever holds one.
 * Nothing of the machine's or the user's git configuration has a say.
 */
import { explainError, OrchestratorError } from '../../../domain/index.js'
import { readSecret, type Secret } from '../../secret.js'
import { quote } from '../../supervisor/wrapper.js'
import { gitEnvironment } from '../git-command.js'
import type { RemoteProtocol } from './remote-address.js'

export interface RemoteAccess {
  /** For https, beside the token. Most forges heed the token alone. */
  readonly username: string
  readonly token?: Secret
  readonly tls: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string }
  readonly ssh: {
    /** Keys of hosts, as ssh writes them: any other key is refused. */
    readonly knownHostsFile?: string
    /** Absent: the keys of the user's own agent and folder. */
    readonly keyFile?: string
  }
}

export interface GitSetting {
  readonly arguments: readonly string[]
  readonly environment: NodeJS.ProcessEnv
}

const TOKEN_FILE = 'DROVER_TOKEN_FILE'
/** How git asks a helper: its documentation, "gitcredentials". Told are a name and where to look, never a value. */
const helper = (value: string) => `!f() { test "$1" = get && printf 'password=%s\\n' "${value}"; }; f`

/** @throws OrchestratorError GIT_REMOTE_ACCESS when the token is not where it should be */
export function remoteSetting(protocol: RemoteProtocol, access: RemoteAccess): GitSetting {
  const settings = ['protocol.allow=never', `protocol.${protocol}.allow=always`, 'core.hooksPath=/dev/null', 'credential.helper=']
  const environment: NodeJS.ProcessEnv = { ...gitEnvironment(), GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }
  if (protocol === 'ssh') {
    environment['GIT_SSH_COMMAND'] = sshCommand(access.ssh)
    environment['GIT_SSH_VARIANT'] = 'ssh'
  }
  if (protocol === 'http' || protocol === 'https') {
    settings.push(...webSettings(access))
    if (access.token?.kind === 'file') environment[TOKEN_FILE] = access.token.path
  }
  return { arguments: settings.flatMap((setting) => ['-c', setting]), environment }
}

/** A redirect could lead the credentials to another host. */
function webSettings({ username, token, tls }: RemoteAccess): readonly string[] {
  refuseMissingToken(token)
  return [
    'http.followRedirects=false',
    'http.sslVerify=true',
    'http.lowSpeedLimit=1000',
    'http.lowSpeedTime=60',
    ...(tls.caFile === undefined ? [] : [`http.sslCAInfo=${tls.caFile}`]),
    ...(tls.certFile === undefined ? [] : [`http.sslCert=${tls.certFile}`]),
    ...(tls.keyFile === undefined ? [] : [`http.sslKey=${tls.keyFile}`]),
    ...(token === undefined ? [] : [`credential.username=${username}`, `credential.helper=${helper(tokenValue(token))}`]),
  ]
}

function tokenValue(token: NonNullable<RemoteAccess['token']>): string {
  return token.kind === 'file' ? `$(head -n 1 "$${TOKEN_FILE}")` : `$${token.name}`
}

function refuseMissingToken(token: RemoteAccess['token']): void {
  if (token === undefined) return
  try {
    readSecret('token of the remote', token)
  } catch (cause) {
    throw new OrchestratorError('GIT_REMOTE_ACCESS', explainError(cause))
  }
}

function sshCommand({ knownHostsFile, keyFile }: RemoteAccess['ssh']): string {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'UpdateHostKeys=no',
    'GlobalKnownHostsFile=/dev/null',
    'PreferredAuthentications=publickey',
    'ConnectTimeout=15',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=4',
    'ControlMaster=no',
    'ControlPath=none',
    'ForwardAgent=no',
    'ClearAllForwardings=yes',
    ...(knownHostsFile === undefined ? [] : [`UserKnownHostsFile="${knownHostsFile}"`]),
    ...(keyFile === undefined ? [] : ['IdentitiesOnly=yes', `IdentityFile="${keyFile}"`]),
  ]
  // git hands the command to a shell.
  return ['ssh', '-F', '/dev/null', ...options.flatMap((option) => ['-o', quote(option)])].join(' ')
}
