import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { commandsPage } from '../../src/cli/index.js'
import { loadAll } from '../../src/main/commands.js'

test('docs/cli.md is what `npm run cli-docs` writes', async () => {
  expect(readFileSync('docs/cli.md', 'utf8')).toBe(commandsPage(await loadAll()))
})
