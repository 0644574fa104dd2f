/** Whether the first process of this host reaps what has lost its parent. In a container it may be a program that never does. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'

const REAPED_WITHIN_MS = 2_000
const LOOK_MS = 10

/** Makes an orphan that ends at once, and looks whether it goes. False also where none could be made. */
export async function reapsOrphans(sh: string): Promise<boolean> {
  const pid = await makeOrphan(sh)
  if (pid === undefined) return false
  for (let waitedMs = 0; waitedMs < REAPED_WITHIN_MS; waitedMs += LOOK_MS) {
    if (!existsSync(`/proc/${pid}`)) return true
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  return false
}

function makeOrphan(sh: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = ''
    const parent = spawn(sh, ['-c', ': & echo "$!"'], { stdio: ['ignore', 'pipe', 'ignore'] })
    parent.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    parent.once('error', () => resolve(undefined))
    parent.once('close', () => resolve(Number(text) > 0 ? Number(text) : undefined))
  })
}
