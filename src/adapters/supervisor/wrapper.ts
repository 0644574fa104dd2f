/**
 * The shell around a task. It holds the task's pipes open both ways, so that output waits for a reader instead of killing the
 * task; runs the task in the foreground, because a background job of a shell ignores interrupts for good; writes down how the
 * task ended; and leaves only when it is told that everything was read.
 */
import type { RunStart } from './protocol.js'

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

/**
 * Argument 1 is the folder to begin in. It waits there until `release` says that `command` is written. A pipe whose name was taken away before
 * it was opened is opened as a plain file, of which a read never waits: then the wrapper ends. The traps are no-ops that keep it alive; the
 * task gets the default of each signal.
 */
export function wrapperScript(tools: Tools): string {
  return `
cd "$1" || exit 125
${tools.mkfifo} -m 600 out err note release || exit 125
exec 3<>out 4<>err 5<>note 6<>release
[ -p /proc/self/fd/6 ] || exit 125
trap : HUP INT QUIT TERM PIPE USR1 USR2 ALRM
echo ready
exec >/dev/null 2>&1
until read -r word <&6; do :; done
( . ./command ) </dev/null >&3 2>&4
code=$?
echo "$code" >exit
echo "exit $code" >&5
until read -r word <&6; do :; done
`
}

/** Read by the wrapper's child, which becomes the task. Holds the environment, so its file is for the owner only. */
export function commandScript(start: RunStart, tools: Tools, groups: readonly string[]): string {
  const user = start.user === null ? [] : [tools.setpriv!, `--reuid=${start.user.uid}`, `--regid=${start.user.gid}`, '--clear-groups']
  const environment = Object.entries(start.environment).map(([name, value]) => `${name}=${value}`)
  const network = start.networkNamespace === null ? [] : [tools.nsenter!, `--net=${start.networkNamespace}`, '--']
  const words = [tools.setsid, ...network, ...user, tools.env, '-i', '--', ...environment, start.command, ...start.args]
  return [
    // The shell's own pid, told by the kernel: "$$" would be that of the wrapper.
    'read -r pid word </proc/self/stat',
    'echo "$pid" >pid',
    ...groups.map((group) => `echo 0 >${quote(`${group}/cgroup.procs`)}`),
    'echo "pid $pid" >&5',
    // Those that the wrapper opened; the supervisor hands on none of its own.
    'exec 3>&- 4>&- 5>&- 6>&-',
    // Of everything that keeps Drover's own state to its owner, a task is to notice nothing.
    'umask 022',
    `cd ${quote(start.workFolder)} || exit 126`,
    `exec ${words.map(quote).join(' ')}`,
    '',
  ].join('\n')
}

/** One word of a shell, whatever is in it. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
