/** How an agent starts the programs beside this file, compiled or as they are written. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** They hold little, so the collector need not be generous. */
const FLAGS = ['--max-old-space-size=64', '--max-semi-space-size=1']

export function supervisorCommand(): readonly string[] {
  return programCommand('supervisor')
}

export function artifactDownloadCommand(): readonly string[] {
  return programCommand('artifact-download')
}

function programCommand(name: string): readonly string[] {
  const compiled = fileURLToPath(new URL(`./${name}.js`, import.meta.url))
  if (existsSync(compiled)) return [process.execPath, ...FLAGS, compiled]
  const loader = createRequire(import.meta.url).resolve('tsx')
  return [process.execPath, ...FLAGS, '--import', loader, fileURLToPath(new URL(`./${name}.ts`, import.meta.url))]
}
