import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** As built: all commands together are the whole program, which is too much to be compiled for one test. */
const PRINT = `
  const { commandsPage } = await import('./dist/cli/index.js')
  const { loadAll } = await import('./dist/main/commands.js')
  process.stdout.write(commandsPage(await loadAll()), () => process.exit(0))
`

test('docs/cli.md is what `npm run cli-docs` writes', () => {
  const page = execFileSync(process.execPath, ['--input-type=module', '-e', PRINT], { encoding: 'utf8' })
  expect(readFileSync('docs/cli.md', 'utf8')).toBe(page)
})
