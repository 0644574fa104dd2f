/**
 * The shell around a task. It holds the task's pipes open both ways, so that output waits for a reader instead of killing the
 * task; runs the task in the foreground, because a background job of a shell ignores interrupts for good; writes down how the
 * task ended; and leaves only when it is told that everything was read.
 */
import type { RunSandbox, RunStart } from './protocol.js'

/** Absolute paths of what the wrapper calls. */
export interface Tools {
  readonly sh: string
  readonly mkfifo: string
  readonly setsid: string
  readonly env: string
  /** Undefined: tasks can only run as the supervisor's own user. */
  readonly setpriv: string | undefined
  /** Undefined: tasks can only run in the supervisor's own network. */
  readonly nsenter: string | undefined
}

/** Its argument 0, by which it is found again. */
export const WRAPPER_NAME = 'drover-run'
/** That of the shell which takes the wrapper's place in a sandbox. Its argument 1 is the folder of the run. */
export const INSIDE_NAME = 'drover-run-inside'

/** Keeps a shell alive; the task gets the default of each signal. */
const TRAPS = 'trap : HUP INT QUIT TERM PIPE USR1 USR2 ALRM'
const UNTIL_RELEASED = 'until read -r word <&6; do :; done'

/**
 * Argument 1 is the folder to begin in. It waits there until `release` says that `command` is written. A pipe whose name was taken away before
 * it was opened is opened as a plain file, of which a read never waits: then the wrapper ends.
 */
export function wrapperScript(tools: Tools): string {
  return `
cd "$1" || exit 125
${tools.mkfifo} -m 600 out err note release || exit 125
exec 3<>out 4<>err 5<>note 6<>release
[ -p /proc/self/fd/6 ] || exit 125
${TRAPS}
echo ready
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
 * The wrapper becomes what makes the root, and a shell in there does the wrapper's work: with the pipes, and with two plain files of its folder,
 * which lead nowhere else. What made the root can go then. What it complains of is told in the task's stderr.
 */
export function sandboxScript(start: RunStart, sandbox: RunSandbox, tools: Tools, folder: string, groups: readonly string[]): string {
  const inside = `
exec 2>/dev/null
${TRAPS}
( . /proc/self/fd/7 ) </dev/null >&3 2>&4
code=$?
echo "$code" >&8
echo "exit $code" >&5
${UNTIL_RELEASED}
`
  const words = [...networkWords(start, tools), ...sandbox.words, sandbox.tools.sh, '-c', inside, INSIDE_NAME, folder]
  return [
    'exec 7<command 8>exit 2>&4',
    ...groups.map(joinGroup),
    `exec ${[tools.env, '-i', '--', ...words].map(quote).join(' ')}`,
    '',
  ].join('\n')
}

/** Read by the wrapper's child, which becomes the task. Holds the environment, so its file is for the owner only. */
export function commandScript(start: RunStart, tools: Tools, groups: readonly string[]): string {
  const { sandbox } = start
  const user = start.user === null ? [] : [tools.setpriv!, `--reuid=${start.user.uid}`, `--regid=${start.user.gid}`, '--clear-groups']
  const environment = Object.entries(start.environment).map(([name, value]) => `${name}=${value}`)
  const { setsid, env } = sandbox?.tools ?? tools
  const network = sandbox === undefined ? networkWords(start, tools) : []
  const words = [setsid, ...network, ...user, env, '-i', '--', ...environment, start.command, ...start.args]
  return [
    // The shell's own pid, told by the kernel: "$$" would be that of the wrapper.
    'read -r pid word </proc/self/stat',
    ...(sandbox === undefined ? ['echo "$pid" >pid', ...groups.map(joinGroup)] : []),
    'echo "pid $pid" >&5',
    // Those that the wrapper opened; the supervisor hands on none of its own.
    'exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&-',
    // Of everything that keeps Drover's own state to its owner, a task is to notice nothing.
    'umask 022',
    ...(sandbox === undefined ? [`cd ${quote(start.workFolder)} || exit 126`] : []),
    `exec ${words.map(quote).join(' ')}`,
    '',
  ].join('\n')
}

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
