// The command must be executable right after a build; the compiler writes plain files.
import { chmodSync, existsSync } from 'node:fs'

for (const file of ['dist/main/cli.js']) if (existsSync(file)) chmodSync(file, 0o755)
