/** Remotes as teams have them, on the loopback interface: git's own HTTP backend, and an sshd. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../free-port.js'

const HTTP_BACKEND = join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-http-backend')
const SSHD = '/usr/sbin/sshd'

export const whyNoHttp = existsSync(HTTP_BACKEND) ? undefined : 'skipped: git has no http-backend here'
export const whyNoSsh = existsSync(SSHD) ? undefined : 'skipped: no sshd is installed'

/** What stands between the client and git: an answer of its own, or nothing. */
export type Interference = (request: IncomingMessage, response: ServerResponse) => boolean

export interface HttpRemote {
  readonly url: (name: string) => string
  /** Head lines of every request, as they came. */
  readonly requests: { readonly url: string; readonly authorization: string }[]
  interfere: Interference | undefined
  /** Ends every body of git's after this many bytes; undefined: never. */
  cutAfterBytes: number | undefined
  stop(): Promise<void>
}

/** @param password what basic authentication has to give; absent: everybody may read */
export async function startHttpRemote(
  root: string,
  options: { readonly password?: string; readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string } } = {},
): Promise<HttpRemote> {
  const remote: HttpRemote = {
    url: () => '',
    requests: [],
    interfere: undefined,
    cutAfterBytes: undefined,
    stop: async () => {},
  }
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    remote.requests.push({ url: request.url ?? '', authorization: request.headers.authorization ?? '' })
    if (remote.interfere?.(request, response) === true) return
    if (options.password !== undefined && !hasPassword(request, options.password)) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end()
      return
    }
    serveGit(root, request, response, remote.cutAfterBytes)
  }
  const { tls } = options
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer({ key: tls.key, cert: tls.cert, ...(tls.ca === undefined ? {} : { ca: tls.ca, requestCert: true }) }, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const scheme = tls === undefined ? 'http' : 'https'
  return Object.assign(remote, {
    url: (name: string) => `${scheme}://127.0.0.1:${port}/${name}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  })
}

function hasPassword(request: IncomingMessage, password: string): boolean {
  const [, given = ''] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? []
  return Buffer.from(given, 'base64').toString('utf8').split(':')[1] === password
}

function serveGit(root: string, request: IncomingMessage, response: ServerResponse, cutAfterBytes: number | undefined): void {
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const backend = spawn(HTTP_BACKEND, [], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      PATH_INFO: decodeURIComponent(path),
      QUERY_STRING: query,
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
    },
  })
  request.pipe(backend.stdin)
  const chunks: Buffer[] = []
  backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  backend.stdin.on('error', () => {})
  backend.on('close', () => {
    const output = Buffer.concat(chunks)
    const end = output.indexOf('\r\n\r\n')
    const heads = output.subarray(0, end).toString('latin1').split('\r\n')
    const status = Number(/^Status: (\d+)/.exec(heads.find((head) => head.startsWith('Status:')) ?? '')?.[1] ?? 200)
    const body = output.subarray(end + 4)
    response.writeHead(status, Object.fromEntries(heads.filter((head) => !head.startsWith('Status:')).map((head) => head.split(': ', 2))))
    const isCut = cutAfterBytes !== undefined && body.length > cutAfterBytes
    response.write(isCut ? body.subarray(0, cutAfterBytes) : body, () => (isCut ? response.destroy() : response.end()))
  })
}

/** A key and a certificate that it signed itself, for 127.0.0.1. */
export function makeCertificate(): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'drover-tls-'))
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    execFileSync('openssl', [...words, '-keyout', key, '-out', cert, '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'], {
      stdio: 'pipe',
    })
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export interface SshRemote {
  readonly url: (path: string) => string
  readonly keyFile: string
  readonly knownHostsFile: string
  stop(): Promise<void>
}

/** Lets the key `keyFile` in and nobody else. */
export async function startSshRemote(folder: string, known: { readonly port?: number } = {}): Promise<SshRemote> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const at = (name: string) => join(folder, name)
  for (const name of ['host', 'user']) {
    rmSync(at(name), { force: true })
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', at(name)])
  }
  const port = known.port ?? (await freePort())
  writeFileSync(at('authorized_keys'), readFileSync(at('user.pub')), { mode: 0o600 })
  writeFileSync(at('known_hosts'), `[127.0.0.1]:${port} ${readFileSync(at('host.pub'), 'utf8')}`)
  const settings = {
    ListenAddress: '127.0.0.1',
    Port: port,
    HostKey: `"${at('host')}"`,
    AuthorizedKeysFile: `"${at('authorized_keys')}"`,
    PidFile: 'none',
    UsePAM: 'no',
    StrictModes: 'no',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
  }
  writeFileSync(
    at('sshd_config'),
    Object.entries(settings)
      .map(([name, value]) => `${name} ${value}\n`)
      .join(''),
  )
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  const sshd = spawn(SSHD, ['-D', '-e', '-f', at('sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  sshd.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ended = new Promise<void>((resolve) => sshd.once('close', () => resolve()))
  while (!(await isListening(port))) {
    if (sshd.exitCode !== null) throw new Error(`sshd ended: ${said}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return {
    url: (path) => `ssh://${userInfo().username}@127.0.0.1:${port}${path}`,
    keyFile: at('user'),
    knownHostsFile: at('known_hosts'),
    stop: async () => {
      sshd.kill()
      await ended
    },
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(socket.destroy() !== undefined))
    socket.once('error', () => resolve(false))
  })
}
