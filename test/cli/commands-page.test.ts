import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { buildSync } from 'esbuild'
import { expect, test } from 'vitest'

const PRINT = `
  import { commandsPage } from './src/cli/index.js'
  import { loadAll } from './src/main/commands.js'
  process.stdout.write(commandsPage(await loadAll()), () => process.exit(0))
`

test('docs/cli.md is what `npm run cli-docs` writes', () => {
  // All commands together are the whole program: too much to be compiled as tests are.
  const { outputFiles } = buildSync({
    stdin: { contents: PRINT, resolveDir: '.', loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    write: false,
  })
  const page = execFileSync(process.execPath, ['--input-type=module', '-'], { encoding: 'utf8', input: outputFiles[0]!.text })
  expect(readFileSync('docs/cli.md', 'utf8')).toBe(page)
})
