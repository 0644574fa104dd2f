/** Ctrl-C, for commands that stop in order. */

/**
 * Heard from the first call on, not before: whoever never asks, and a program that has nothing to stop yet, is ended by it as any
 * process is. A listener that is there too early would swallow it.
 */
export function interruptSignal(): () => AbortSignal {
  let stopped: AbortController | undefined
  return () => {
    if (stopped === undefined) {
      const controller = new AbortController()
      process.once('SIGINT', () => controller.abort())
      stopped = controller
    }
    return stopped.signal
  }
}
