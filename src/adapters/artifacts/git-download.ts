/** A repository over https, as a folder without its history. */
import { spawn } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { guardLiteral, isPrivate } from './addresses.js'
import { DownloadFailure, type DownloadRequest } from './request.js'

/** @throws DownloadFailure */
export async function downloadGit(
  url: URL,
  folder: string,
  options: Readonly<Record<string, string>>,
  request: DownloadRequest,
): Promise<void> {
  if (url.protocol !== 'https:') throw new DownloadFailure('git is spoken over https only')
  const { ref = '', depth = '' } = options
  if (options.sshkey !== undefined) throw new DownloadFailure('sshkey is not supported: git is spoken over https only')
  if (ref.startsWith('-') || !/^\d*$/.test(depth)) throw new DownloadFailure('ref or depth is malformed')
  const settings = await connectionSettings(url, request)
  const git = (...args: readonly string[]) => runGit([...settings, ...args], folder, request.limits.timeoutMs)
  const depthArgs = depth === '' || depth === '0' ? ['--depth=1'] : [`--depth=${depth}`]
  await git('init', '--quiet', '.')
  await git('fetch', '--quiet', '--no-tags', '--no-recurse-submodules', ...depthArgs, url.href, ref === '' ? 'HEAD' : ref)
  await git('checkout', '--quiet', '--force', 'FETCH_HEAD')
  await rm(join(folder, '.git'), { recursive: true, force: true })
}

/** The name is looked up here and git is told what was found, so that nothing else can be found in between. */
async function connectionSettings(url: URL, { isInsecure, limits }: DownloadRequest): Promise<readonly string[]> {
  guardLiteral(url.hostname, limits.allowsPrivateAddresses)
  const addresses = await lookup(url.hostname.replace(/^\[(.*)\]$/, '$1'), { all: true })
  const barred = limits.allowsPrivateAddresses ? undefined : addresses.find(({ address }) => isPrivate(address))
  if (barred !== undefined) throw new DownloadFailure(`${url.hostname} (${barred.address}) is a private address`)
  const port = url.port === '' ? '443' : url.port
  const resolved = `${url.hostname}:${port}:${addresses.map(({ address }) => (address.includes(':') ? `[${address}]` : address)).join(',')}`
  const values = [
    `http.curloptResolve=${resolved}`,
    'http.followRedirects=false',
    'core.symlinks=false',
    'core.hooksPath=/dev/null',
    'protocol.allow=never',
    'protocol.https.allow=always',
    `http.sslVerify=${!isInsecure}`,
  ]
  return values.flatMap((value) => ['-c', value])
}

function runGit(args: readonly string[], folder: string, timeoutMs: number): Promise<void> {
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    LC_ALL: 'C',
  }
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...args], { cwd: folder, env: environment, stdio: ['ignore', 'ignore', 'pipe'], timeout: timeoutMs })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-1000)
    })
    child.on('error', (error) => reject(new DownloadFailure(`git cannot be run: ${error.message}`)))
    child.on('close', (code) => (code === 0 ? resolve() : reject(new DownloadFailure(`git: ${said.trim() || `exit code ${code}`}`))))
  })
}
