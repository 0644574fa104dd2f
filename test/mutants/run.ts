/**
 * `npm run mutants -- [--seeds N] [NAME …]`: breaks one line at a time in a copy of the project, runs simulated worlds on it, and
 * tells which checker noticed and after how many virtual hours. Last line: `K of N found`. One that survives means that a
 * checker is missing.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { MUTANTS, type Mutant } from './mutants.js'

const words = process.argv.slice(2)
const seedsAt = words.indexOf('--seeds')
const seeds = seedsAt < 0 ? 400 : Number(words[seedsAt + 1])
const names = words.filter((word, at) => !word.startsWith('--') && at !== seedsAt + 1)
const chosen = names.length === 0 ? MUTANTS : MUTANTS.filter((mutant) => names.includes(mutant.name))
if (chosen.length === 0 || !Number.isInteger(seeds)) {
  console.error(`unknown mutant; there are: ${MUTANTS.map((mutant) => mutant.name).join(' ')}`)
  process.exit(1)
}

/** A copy in which one line is changed, sharing what was installed. */
function makeCopy(mutant: Mutant): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-mutant-'))
  for (const name of ['src', 'package.json', 'tsconfig.json']) cpSync(resolve(name), join(folder, name), { recursive: true })
  cpSync(resolve('test'), join(folder, 'test'), { recursive: true, filter: (path) => !path.includes('/vectors/data') })
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  const path = join(folder, mutant.file)
  const text = readFileSync(path, 'utf8')
  if (text.split(mutant.find).length !== 2)
    throw new Error(`${mutant.name}: its line stands ${text.split(mutant.find).length - 1} times in ${mutant.file}`)
  writeFileSync(
    path,
    text.replace(mutant.find, () => mutant.replace),
  )
  return folder
}

/** What the simulation says of the first violation; undefined when every world was sound. */
function runWorlds(folder: string, story: Mutant['story']): { readonly checker: string; readonly hours: string } | undefined {
  try {
    execFileSync(
      process.execPath,
      [
        '--import',
        'tsx',
        'test/simulation/run.ts',
        '--seed',
        '1',
        '--seeds',
        String(seeds),
        '--stop-at-first',
        ...(story === undefined ? [] : [`--${story}`]),
      ],
      {
        cwd: folder,
        encoding: 'utf8',
        stdio: 'pipe',
      },
    )
    return undefined
  } catch (error) {
    const { stdout = '' } = error as { stdout?: string }
    const checker = /^seed \d+ at [\d.]+ s: (\S+)/m.exec(stdout)?.[1]
    const hours = /([\d.]+) virtual hours/.exec(stdout)?.[1]
    if (checker === undefined || hours === undefined)
      throw new Error(`the simulation did not run: ${String(error).slice(0, 2_000)}`, { cause: error })
    return { checker, hours }
  }
}

let found = 0
for (const mutant of chosen) {
  const folder = makeCopy(mutant)
  try {
    const result = runWorlds(folder, mutant.story)
    if (result !== undefined) found++
    console.log(
      `${mutant.name.padEnd(44)} ${result === undefined ? 'SURVIVED' : `${result.checker.padEnd(5)} after ${result.hours} virtual hours`}`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
console.log(`${found} of ${chosen.length} found`)
process.exitCode = found === chosen.length ? 0 : 1
