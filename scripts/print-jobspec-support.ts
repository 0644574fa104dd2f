/** `npm run jobspec-support`: writes docs/jobspec-support.md from the table that validate, the server and the agent use. */
import { writeFileSync } from 'node:fs'
import { supportPage } from '../src/jobspec/support/support-page.js'

writeFileSync(new URL('../docs/jobspec-support.md', import.meta.url), supportPage())
