/** docs/cli.md: every command with what it takes, made from the commands themselves. */
import { Command } from 'commander'
import type { CommandModule, Io } from './command.js'

const HEAD = `# The command line

Written by \`npm run cli-docs\` from the commands themselves. \`drover COMMAND --help\` tells the same; \`drover completion bash\` (zsh, fish)
prints a script that completes commands, options and ids.

Ids may be given by their beginning, nodes by their name, allocations as \`job.group[0]\`. \`-o json\` and \`--json\` print what the API answers,
mistakes too. \`NO_COLOR\` switches colours off; where output is no terminal there are none, and nothing is cut to its width.
`

/** Nothing of it runs: commands are only asked what they take. */
const NO_IO: Io = {
  out: () => {},
  err: () => {},
  env: {},
  fetch: () => Promise.reject(new Error('commands are only described')),
  signal: new AbortController().signal,
}

export function commandsPage(modules: readonly CommandModule[]): string {
  const rows = modules.map(({ name, summary }) => `| [\`${name}\`](#${name}) | ${summary.replaceAll('|', '\\|')} |`)
  return `${HEAD}\n|   |   |\n|---|---|\n${rows.join('\n')}\n\n${modules.map(section).join('\n')}`
}

function section(module: CommandModule): string {
  const command = new Command(module.name)
  module.define(command, NO_IO, async () => {})
  const also =
    module.aliases === undefined || module.aliases.length === 0 ? '' : ` (also ${module.aliases.map((name) => `\`${name}\``).join(', ')})`
  const args = command.registeredArguments.map((argument) =>
    row(argument.required ? `<${argument.name()}>` : `[${argument.name()}]`, argument.description),
  )
  const options = command.options.map(({ flags, description }) => row(flags, description))
  const codes = Object.entries(module.exitCodes).map(([code, meaning]) => `${code}: ${meaning}`)
  return `## ${module.name}\n\n\`drover ${module.name} ${module.usage}\`${also}: ${module.summary}.\n\n${table([...args, ...options])}Exit codes: ${codes.join('; ')}.\n`
}

function row(name: string, meaning: string): string {
  return `| \`${name.replaceAll('|', '\\|')}\` | ${meaning.replaceAll('|', '\\|')} |`
}

function table(rows: readonly string[]): string {
  return rows.length === 0 ? '' : `|   |   |\n|---|---|\n${rows.join('\n')}\n\n`
}
