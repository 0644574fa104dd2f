/** How an agent starts a supervisor: the program beside this file, compiled or as it is written. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** It holds little, so the collector need not be generous. */
const FLAGS = ['--max-old-space-size=64', '--max-semi-space-size=1']

export function supervisorCommand(): readonly string[] {
  const compiled = fileURLToPath(new URL('./supervisor.js', import.meta.url))
  if (existsSync(compiled)) return [process.execPath, ...FLAGS, compiled]
  const loader = createRequire(import.meta.url).resolve('tsx')
  return [process.execPath, ...FLAGS, '--import', loader, fileURLToPath(new URL('./supervisor.ts', import.meta.url))]
}
