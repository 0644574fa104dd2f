/** Starts that must be refused: each with a sentence that says what and how to mend it, exit code 1, nothing lost. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Cluster } from './cluster.js'

const CLI = resolve('dist/main/cli.js')
const ENDS_WITHIN_MS = 20_000

/** Runs `drover dev` and gives what it said and how it ended. @throws when it does not end */
function runDev(...flags: string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [CLI, 'dev', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      fail(new Error(`drover dev ${flags.join(' ')} did not end:\n${output}`))
    }, ENDS_WITHIN_MS)
    child.once('exit', (code) => {
      clearTimeout(timer)
      done({ code, output })
    })
  })
}

export async function expectRefusals(cluster: Cluster, tell: (text: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-refusals-'))
  const repository = (name: string, ...commands: string[][]) => {
    mkdirSync(join(folder, name))
    for (const words of commands)
      execFileSync('git', ['-C', join(folder, name), '-c', 'user.name=x', '-c', 'user.email=x@example.org', ...words], { stdio: 'pipe' })
    return join(folder, name)
  }
  const refuse = async (what: string, sentence: RegExp, ...flags: string[]) => {
    const { code, output } = await runDev('--http', '127.0.0.1:0', ...flags)
    if (code !== 1 || !sentence.test(output)) throw new Error(`${what}: ended with ${code} and said:\n${output}`)
    tell(`refused, exit code 1: ${output.trim().split('\n').at(-1)}`)
  }
  try {
    await refuse('no repository', /not a git repository/, '--repo', repository('none'))
    await refuse('unborn branch', /no commit yet/, '--repo', repository('unborn', ['init', '-q']))
    await refuse('no jobs', /no jobs folder/, '--repo', repository('empty', ['init', '-q'], ['commit', '-q', '--allow-empty', '-m', 'x']))
    const detached = repository('detached', ['init', '-q'], ['commit', '-q', '--allow-empty', '-m', 'x'], ['checkout', '-q', '--detach'])
    await refuse('detached HEAD', /detached/, '--repo', detached)
    await refuse('unknown flag', /unknown option/, '--repo', cluster.folder, '--nonsense')
    await refuseTakenPort(cluster, refuse)
    await refuseLockedFolder(cluster, refuse)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type Refuse = (what: string, sentence: RegExp, ...flags: string[]) => Promise<void>

async function refuseTakenPort(cluster: Cluster, refuse: Refuse): Promise<void> {
  const taken = createServer()
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
  const { port } = taken.address() as { port: number }
  try {
    await refuse('port in use', /in use by another program/, '--repo', cluster.folder, '--http', `127.0.0.1:${port}`)
  } finally {
    await new Promise((done) => taken.close(done))
  }
}

async function refuseLockedFolder(cluster: Cluster, refuse: Refuse): Promise<void> {
  await cluster.start()
  await refuse('data folder in use', /in use by another server/, '--repo', cluster.folder)
  await cluster.stop()
}
