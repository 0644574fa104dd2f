/** `drover completion SHELL`: a script that completes commands, options and ids. */
import { Command } from 'commander'
import { CommandError, type CommandModule, type Io } from './command.js'

interface Described {
  readonly names: readonly string[]
  readonly summary: string
  readonly options: readonly string[]
  readonly completes: CommandModule['completes']
}

export function completionCommand(load: () => Promise<readonly CommandModule[]>): CommandModule {
  return {
    name: 'completion',
    usage: '<bash|zsh|fish>',
    summary: 'print a script that completes commands, options and ids: source <(drover completion bash)',
    exitCodes: { 0: 'printed', 1: 'no such shell' },
    completes: 'shell',
    define(command: Command, io: Io, finish) {
      command.argument('<bash|zsh|fish>').action((shell: string) => finish(printScript(shell, load, io)))
    },
  }
}

async function printScript(shell: string, load: () => Promise<readonly CommandModule[]>, io: Io): Promise<number> {
  const write = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined
  if (write === undefined) throw new CommandError(`there is no script for ${shell}; there are ${Object.keys(SCRIPTS).join(', ')}`)
  io.out(write((await load()).map((module) => describe(module, io))))
  return 0
}

function describe(module: CommandModule, io: Io): Described {
  const command = new Command(module.name)
  module.define(command, io, async () => {})
  const options = command.options.flatMap(({ short, long }) => [short, long].filter((name): name is string => typeof name === 'string'))
  return {
    names: [module.name, ...(module.aliases ?? [])],
    summary: module.summary,
    options: [...options, '--help'],
    completes: module.completes,
  }
}

/** What completes an argument; the shell's own files need no program. */
const WORDS: Readonly<Record<Exclude<NonNullable<CommandModule['completes']>, 'file'>, string>> = {
  job: 'drover jobs -o name',
  allocation: 'drover allocations -o name',
  node: 'drover nodes -o name',
  id: 'drover jobs -o name; drover nodes -o name',
  shell: 'echo bash zsh fish',
}

const SCRIPTS: Readonly<Record<string, (commands: readonly Described[]) => string>> = { bash, zsh, fish }

function argumentsIn({ completes }: Described): string {
  if (completes === 'file') return 'COMPREPLY=($(compgen -f -- "$current"))'
  if (completes === undefined) return 'COMPREPLY=()'
  return `COMPREPLY=($(compgen -W "$( (${WORDS[completes]}) 2>/dev/null)" -- "$current"))`
}

function bash(commands: readonly Described[]): string {
  const cases = commands.map(
    (command) =>
      `    ${command.names.join('|')})
      case "$current" in
        -*) COMPREPLY=($(compgen -W "${command.options.join(' ')}" -- "$current")) ;;
        *) ${argumentsIn(command)} ;;
      esac ;;`,
  )
  return `# drover completion for bash: source <(drover completion bash)
_drover() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.flatMap(({ names }) => names).join(' ')} help --help --version" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
}
complete -F _drover drover
`
}

function zsh(commands: readonly Described[]): string {
  const listed = commands.flatMap(({ names, summary }) => names.map((name) => `    ${quote(`${name}:${summary.replaceAll(':', '\\:')}`)}`))
  const cases = commands.map(({ names, options, completes }) => {
    const words = completes === undefined || completes === 'file' ? '' : ` $( (${WORDS[completes]}) 2>/dev/null)`
    const other = completes === 'file' ? '_files' : `compadd --${words}`
    return `    ${names.join('|')}) if [[ $words[CURRENT] == -* ]]; then compadd -- ${options.join(' ')}; else ${other}; fi ;;`
  })
  return `#compdef drover
# drover completion for zsh: source <(drover completion zsh)
_drover() {
  local -a commands
  commands=(
${listed.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case $words[2] in
${cases.join('\n')}
  esac
}
compdef _drover drover
`
}

function fish(commands: readonly Described[]): string {
  const lines = commands.flatMap(({ names, summary, options, completes }) => {
    const seen = `'__fish_seen_subcommand_from ${names.join(' ')}'`
    const flags = options.map(
      (option) => `complete -c drover -n ${seen} ${option.startsWith('--') ? '-l' : '-s'} ${option.replace(/^-+/, '')}`,
    )
    const words =
      completes === undefined || completes === 'file'
        ? []
        : [`complete -c drover -n ${seen} -f -a ${quote(`(${WORDS[completes]} 2>/dev/null)`)}`]
    const files = completes === 'file' ? [`complete -c drover -n ${seen} -F`] : []
    return [
      ...names.map((name) => `complete -c drover -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`),
      ...flags,
      ...words,
      ...files,
    ]
  })
  return `# drover completion for fish: drover completion fish | source\ncomplete -c drover -f\n${lines.join('\n')}\n`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
