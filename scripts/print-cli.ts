/** `npm run cli-docs`: writes docs/cli.md from the commands themselves. */
import { writeFileSync } from 'node:fs'
import { commandsPage } from '../src/cli/index.js'
import { loadAll } from '../src/main/commands.js'

writeFileSync(new URL('../docs/cli.md', import.meta.url), commandsPage(await loadAll()))
