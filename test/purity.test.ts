/** The pure layers know neither clock, chance, environment nor network: what makes the simulation possible. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const PURE = ['domain', 'jobspec', 'state', 'scheduler', 'agent/template']
/** Asynchronous, but known to the world only through ports. */
const PORTED = ['agent', 'api', 'controller']

const BANNED_EVERYWHERE: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Date.now', /\bDate\.now\b/],
  ['new Date()', /\bnew Date\(\s*\)/],
  ['performance', /\bperformance\./],
  ['Math.random', /\bMath\.random\b/],
  ['crypto.random*', /\brandom(UUID|Bytes|Int)\b/],
  ['timers', /\bset(Timeout|Interval|Immediate)\b/],
  ['process', /\bprocess\.(env|argv|hrtime|nextTick|cwd)\b/],
  ['fetch', /(?<![#.\w])fetch\(/],
]
const BANNED_WHEN_PURE: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['async', /\basync\b|\bawait\b|\bPromise\b/],
  ['node:', /from 'node:/],
  ['localeCompare', /\.localeCompare\(/],
]

function filesOf(layer: string): readonly string[] {
  return readdirSync(join('src', layer), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('supervisor/'))
    .map((file) => join('src', layer, file))
}

/** Comments and texts may name what the code must not use. */
function codeOf(file: string): string {
  return readFileSync(file, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, (text) => (text.startsWith("'node:") ? text : "''"))
}

function uses(layers: readonly string[], banned: readonly (readonly [string, RegExp])[]): readonly string[] {
  return layers.flatMap(filesOf).flatMap((file) => {
    const code = codeOf(file)
    return banned.filter(([, pattern]) => pattern.test(code)).map(([name]) => `${file} uses ${name}`)
  })
}

test('no layer inside the adapters reads a clock, draws chance, sets a timer or looks at the environment', () => {
  expect(uses([...PURE, ...PORTED], BANNED_EVERYWHERE)).toEqual([])
})

test('the pure layers are synchronous and import nothing of node', () => {
  const ports = /ports\.ts uses (async|node:)$/
  expect(uses(PURE, BANNED_WHEN_PURE).filter((use) => !ports.test(use))).toEqual([])
})

test('what is read keeps no more than itself: nobody loads the native reader of msgpackr (findings/)', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const importers = files.filter((file) => /from 'msgpackr/.test(readFileSync(join('src', file), 'utf8')))
  const native = importers.filter((file) => /from 'msgpackr'/.test(readFileSync(join('src', file), 'utf8')))
  expect([importers.length > 0, native]).toEqual([true, []])
})

test('the ban list finds what it bans', () => {
  const [, timers] = BANNED_EVERYWHERE.find(([name]) => name === 'timers')!
  expect(timers.test('setTimeout(f, 1)')).toBe(true)
})
