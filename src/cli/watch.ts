/** Looking again and again: what has changed is printed anew, until Ctrl-C. */
import { CommandError, type Io } from './command.js'

const PERIOD_MS = 1_000
const CLEAR = '\u001b[H\u001b[2J'

/** Prints what `show` prints, once or for as long as the command lives. */
export async function watching(isWatching: boolean, io: Io, show: (io: Io) => Promise<void>): Promise<void> {
  if (!isWatching) return show(io)
  let before: string | undefined
  while (!io.signal.aborted) {
    let text = ''
    const keep = (part: string) => {
      text += part
    }
    await show({ ...io, out: keep, err: keep })
    if (text !== before) io.out(io.terminal === undefined ? `${before === undefined ? '' : '\n'}${text}` : `${CLEAR}${text}`)
    before = text
    await pause(PERIOD_MS, io.signal)
  }
}

/** Ends early on Ctrl-C. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}

/** @throws CommandError where both are asked for */
export function refuseWatchingThePast({ watch, at }: { readonly watch: boolean; readonly at?: string }): void {
  if (watch && at !== undefined) throw new CommandError('the past does not change: leave out --watch, or --at')
}
