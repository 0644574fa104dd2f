/** That a long-running program is to stop, from its very beginning on. */
import { onStopAsked, type ParentMessage } from './child-channel.js'

export interface StopAsked {
  readonly message: Promise<ParentMessage>
  readonly isAsked: boolean
  /** From then on whoever waits for `message` stops in order; before it a start is simply abandoned, as by a kill. */
  isStarted: boolean
}

/** Heard from the very beginning: a start may wait for a broker for ever. */
export function whenStopAsked(): StopAsked {
  let answer: (message: ParentMessage) => void = () => {}
  const stopAsked = {
    message: new Promise<ParentMessage>((resolve) => {
      answer = resolve
    }),
    isAsked: false,
    isStarted: false,
  }
  onStopAsked((message) => {
    // With the code that a start which failed has set: it, too, lets go of its parent.
    if (!stopAsked.isStarted) process.exit()
    stopAsked.isAsked = true
    answer(message)
  })
  return stopAsked
}
