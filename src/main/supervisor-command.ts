/** How servers and agents start the programs beside this file, compiled or as they are written. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** They hold little, so the collector need not be generous. */
const FLAGS = ['--max-old-space-size=64', '--max-semi-space-size=1', '--optimize-for-size']

export function supervisorCommand(): readonly string[] {
  return programCommand('supervisor')
}

export function artifactDownloadCommand(): readonly string[] {
  return programCommand('artifact-download')
}

/** It folds whole states. */
export function pastReaderProgram(): Program {
  return programOf('past-reader')
}

interface Program {
  readonly path: string
  /** Of Node. */
  readonly nodeFlags: readonly string[]
}

function programCommand(name: string): readonly string[] {
  const { path, nodeFlags } = programOf(name)
  return [process.execPath, ...FLAGS, ...nodeFlags, path]
}

function programOf(name: string): Program {
  const compiled = fileURLToPath(new URL(`./${name}.js`, import.meta.url))
  if (existsSync(compiled)) return { path: compiled, nodeFlags: [] }
  const loader = createRequire(import.meta.url).resolve('tsx')
  return { path: fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), nodeFlags: ['--import', loader] }
}
