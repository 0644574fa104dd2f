/**
 * The shell around a task. It holds the task's pipes open both ways, so that output waits for a reader instead of killing the
 * task; runs the task in the foreground, because a background job of a shell ignores interrupts for good; writes down how the
 * task ended; and leaves only when it is told that everything was read.
 */
import type { RunSandbox, RunStart } from './protocol.js'
import type { Tools } from './tools.js'

/** Its argument 0, by which it is found again. */
export const WRAPPER_NAME = 'drover-run'
/** That of the shell which takes the wrapper's place in a sandbox. Its argument 1 is the folder of the run. */
export const INSIDE_NAME = 'drover-run-inside'

/** Keeps a shell alive; the task gets the default of each signal. */
const TRAPS = 'trap : HUP INT QUIT TERM PIPE USR1 USR2 ALRM'
const UNTIL_RELEASED = 'until read -r word <&6; do :; done'

/**
 * Argument 1 is the folder to begin in, which holds the pipes. It waits there until `release` says that `command` is written. A pipe whose name was taken away before
 * it was opened is opened as a plain file, of which a read never waits: then the wrapper ends. `start` it can only read, so that it notices
 * when nobody is left who would write there.
 */
export function wrapperScript(): string {
  return `
cd "$1" || exit 125
exec 3<>out 4<>err 5<>note 6<>release
exec 9<>start 7<start 9>&-
[ -p /proc/self/fd/6 ] || exit 125
${TRAPS}
echo ready >&5
exec >/dev/null 2>&1
${UNTIL_RELEASED}
[ -f sandbox ] && . ./sandbox
( . ./command ) </dev/null >&3 2>&4
code=$?
echo "$code" >exit
echo "exit $code" >&5
${UNTIL_RELEASED}
`
}

/**
 * The wrapper becomes what makes the root, and a shell in there does the wrapper's work: with the pipes, and with one plain file of its folder,
 * which leads nowhere else. What made the root can go then. What it complains of is told in the task's stderr.
 */
export function sandboxScript(start: RunStart, sandbox: RunSandbox, tools: Tools, folder: string, groups: readonly string[]): string {
  const inside = `
exec 2>/dev/null
${TRAPS}
(
${commandScript(start, tools, groups)}) </dev/null >&3 2>&4
code=$?
echo "$code" >&8
echo "exit $code" >&5
${UNTIL_RELEASED}
`
  const words = [...networkWords(start, tools), ...sandbox.words, sandbox.tools.sh, '-c', inside, INSIDE_NAME, folder]
  return ['exec 8>exit 2>&4', ...groups.map(joinGroup), `exec ${[tools.env, '-i', '--', ...words].map(quote).join(' ')}`, ''].join('\n')
}

/** Read by the wrapper's child, which becomes the task: up to the shell that has the task's own rights and reads `startScript`. */
export function commandScript(start: RunStart, tools: Tools, groups: readonly string[]): string {
  const { sandbox } = start
  const user = start.user === null ? [] : [tools.setpriv!, `--reuid=${start.user.uid}`, `--regid=${start.user.gid}`, '--clear-groups']
  const { setsid, sh } = sandbox?.tools ?? tools
  const network = sandbox === undefined ? networkWords(start, tools) : []
  return [
    // The shell's own pid, told by the kernel: "$$" would be that of the wrapper.
    'read -r pid word </proc/self/stat',
    ...(sandbox === undefined ? ['echo "$pid" >pid', ...groups.map(joinGroup)] : []),
    'echo "pid $pid" >&5',
    // Those that the wrapper opened; the supervisor hands on none of its own.
    'exec 3>&- 4>&- 5>&- 6>&- 8>&-',
    // Of everything that keeps Drover's own state to its owner, a task is to notice nothing.
    'umask 022',
    ...(sandbox === undefined ? [`cd ${quote(start.workFolder)} || exit 126`] : []),
    `exec ${[setsid, ...network, ...user, sh, '-s'].map(quote).join(' ')} <&7 7<&-`,
    '',
  ].join('\n')
}

/**
 * The last words of the start, to be read from the pipe `start`, and the only ones that hold the environment: it may hold secrets, so it is in no
 * file, and in no argument, which everybody on the host can see. The shell that reads it has the task's own rights already, because a
 * variable such as LD_PRELOAD makes code of the task run.
 * @param isShellQuiet see `quiet-shell.ts`
 */
export function startScript({ environment, command, args, sandbox }: RunStart, tools: Tools, isShellQuiet: boolean): string {
  const names = Object.keys(environment)
  const told = names.filter((name) => /^[A-Za-z_]\w*$/.test(name) && !NOT_FOR_SHELLS.test(name))
  const others = names.filter((name) => !told.includes(name))
  const words = [command, ...args]
  // One program less where the shell itself can become the task.
  const last =
    isShellQuiet && sandbox === undefined && 'PATH' in environment && others.every((name) => FOR_LAST.test(name))
      ? [...others.map((name) => exportOf(name, environment)), UNSET_OF_SHELLS, execOf(words)]
      : [execOf([...envWords(environment, told, others, (sandbox?.tools ?? tools).env), ...words])]
  // Whoever writes it may die in the middle; what ends early has started nothing.
  return ["trap 'exit 126' EXIT", ...told.map((name) => exportOf(name, environment)), ...last, ''].join('\n')
}

function exportOf(name: string, environment: RunStart['environment']): string {
  return `export ${name}=${quote(environment[name]!)}`
}

/** In braces, since a shell carries out a last line that has no end. */
function execOf(words: readonly string[]): string {
  return `{ exec ${words.map(quote).join(' ')} </dev/null; }`
}

function envWords(
  environment: RunStart['environment'],
  told: readonly string[],
  others: readonly string[],
  env: string,
): readonly string[] {
  const ofShell = SET_BY_SHELLS.filter((name) => !told.includes(name)).flatMap((name) => ['-u', name])
  return [env, ...ofShell, '--', ...others.map((name) => `${name}=${environment[name]}`)]
}

/** Those that one shell or another gives a meaning of its own, or refuses to set; and those that could keep its next program from starting. */
const NOT_FOR_SHELLS =
  /^(_|PATH|PWD|OLDPWD|SHLVL|IFS|ENV|PS\d|PPID|E?UID|GROUPS|LINENO|OPT(IND|ARG|ERR)|RANDOM|SECONDS|SHELLOPTS|POSIXLY_CORRECT|LINES|COLUMNS|TMOUT|HIST\w+|MAIL\w*|DIRSTACK|FUNCNAME|LANG|LC_\w+|(BASH|LD)\w*)$/
/** Of those what changes nothing any more in a shell that only has to become the task. */
const FOR_LAST = /^(PATH|LANG|LC_\w+)$/
/** Or had from the wrapper. */
const SET_BY_SHELLS = ['PATH', 'PWD', 'OLDPWD', 'SHLVL', '_']
/** For a shell that is to leave none of them behind but PATH. */
export const UNSET_OF_SHELLS = `unset ${SET_BY_SHELLS.filter((name) => name !== 'PATH').join(' ')}`

function networkWords({ networkNamespace }: RunStart, tools: Tools): readonly string[] {
  return networkNamespace === null ? [] : [tools.nsenter!, `--net=${networkNamespace}`, '--']
}

function joinGroup(path: string): string {
  return `echo 0 >${quote(`${path}/cgroup.procs`)}`
}

/** One word of a shell, whatever is in it. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
