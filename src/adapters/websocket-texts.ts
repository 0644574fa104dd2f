/** What comes through a websocket (ws 8), as texts in order. What is not taken for long is not read from the network either. */
import type { WebSocket } from 'ws'

const WAITING_MAX = 64

/** Nothing is lost from now on. Ends when the socket has closed and everything was taken. */
export function textsOf(socket: WebSocket): AsyncIterable<string> {
  const waiting: string[] = []
  let wake = () => {}
  let isOver = false
  socket.on('message', (data) => {
    waiting.push(String(data))
    if (waiting.length >= WAITING_MAX) socket.pause()
    wake()
  })
  socket.on('close', () => {
    isOver = true
    wake()
  })
  return (async function* () {
    for (;;) {
      const text = waiting.shift()
      if (text !== undefined) {
        if (socket.isPaused && waiting.length === 0) socket.resume()
        yield text
      } else if (isOver) return
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  })()
}
