/**
 * `npm run check:node -- VERSION`: builds and tests with another version of Node, which the npm package `node` brings, such as 24 or
 * 24.21.0. Nothing of it stays.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const [version] = process.argv.slice(2)
if (version === undefined || !/^\d+(\.\d+){0,2}$/.test(version)) {
  console.error('usage: npm run check:node -- VERSION, such as 24')
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'drover-node-'))

/** @returns whether it succeeded */
function run(command, args, env = process.env) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env })
  if (error !== undefined) console.error(`${command}: ${error.message}`)
  return status === 0
}

function check() {
  if (!run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-save', `node@${version}`])) return false
  const env = { ...process.env, PATH: `${join(folder, 'node_modules', 'node', 'bin')}${delimiter}${process.env.PATH}` }
  return run('node', ['--version'], env) && run('npm', ['run', '--silent', 'build'], env) && run('npm', ['test'], env)
}

try {
  process.exitCode = check() ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
