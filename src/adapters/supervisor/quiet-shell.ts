/** Whether a shell adds nothing of its own to the environment of the program that it becomes. One that does needs `env` in between. */
import { spawn } from 'node:child_process'
import type { Tools } from './tools.js'
import { UNSET_OF_SHELLS } from './wrapper.js'

const PROBE = 'PATH=/drover/probe'

/** Asks it. False also where it cannot be asked. */
export function isShellQuiet({ sh, env }: Pick<Tools, 'sh' | 'env'>): Promise<boolean> {
  return new Promise((resolve) => {
    let told = ''
    const shell = spawn(sh, ['-s'], { stdio: ['pipe', 'pipe', 'ignore'], cwd: '/', env: { PATH: '/usr/bin:/bin' } })
    shell.stdout.setEncoding('utf8').on('data', (piece: string) => {
      told += piece
    })
    shell.stdin.on('error', () => {})
    shell.stdin.end(`cd /\nexport ${PROBE}\n${UNSET_OF_SHELLS}\nexec ${env}\n`)
    shell.once('error', () => resolve(false))
    shell.once('close', () => resolve(told === `${PROBE}\n`))
  })
}
