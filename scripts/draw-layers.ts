/** Draws which layer imports which, from the code: what `npm run check` shows last. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const LAYERS = ['domain', 'jobspec', 'state', 'scheduler', 'agent', 'api', 'controller', 'adapters', 'cli', 'main']

const counts = new Map<string, number>()
for (const layer of LAYERS) {
  for (const file of readdirSync(join('src', layer), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue
    const text = readFileSync(join('src', layer, file), 'utf8')
    for (const [, path] of text.matchAll(/from '(\.{1,2}\/[^']+)'/g)) {
      const target = join('src', layer, file, '..', path!).split('/')[1]!
      if (target !== layer) counts.set(`${layer} ${target}`, (counts.get(`${layer} ${target}`) ?? 0) + 1)
    }
  }
}

const width = Math.max(...LAYERS.map((layer) => layer.length))
console.log(`${'imports →'.padEnd(width)}  ${LAYERS.map((layer) => layer.padStart(width)).join(' ')}`)
for (const from of LAYERS) {
  const cells = LAYERS.map((to) => String(from === to ? '·' : (counts.get(`${from} ${to}`) ?? '')).padStart(width))
  console.log(`${from.padEnd(width)}  ${cells.join(' ')}`)
}
