/** This process's terminal and streams, and a websocket to the server (ws 8), for `drover exec`. */
import { once } from 'node:events'
import { CommandError } from '../cli/command.js'
import type { Conversation, ExecConsole } from '../cli/exec.js'

const SIZE_UNKNOWN = { columns: 80, rows: 24 }
const NORMAL = 1000

export function createExecConsole(): ExecConsole {
  const { stdin, stdout, stderr } = process
  return {
    isTerminal: stdin.isTTY === true && stdout.isTTY === true,
    input: stdin,
    write: (stream, data) => void (stream === 'stdout' ? stdout : stderr).write(data),
    size: () => ({ columns: stdout.columns ?? SIZE_UNKNOWN.columns, rows: stdout.rows ?? SIZE_UNKNOWN.rows }),
    onResize(callback) {
      stdout.on('resize', callback)
      return () => stdout.off('resize', callback)
    },
    setRaw: (isRaw) => void stdin.setRawMode?.(isRaw),
    endInput: () => void stdin.destroy(),
    connect,
  }
}

async function connect(url: string, headers: Readonly<Record<string, string>>): Promise<Conversation> {
  const [{ WebSocket }, { textsOf }] = await Promise.all([import('ws'), import('../adapters/websocket-texts.js')])
  const socket = new WebSocket(url, { headers: { ...headers }, perMessageDeflate: false })
  const incoming = textsOf(socket)
  const closed = new Promise<string>((resolve) => {
    socket.once('close', (code, reason) => resolve(code === NORMAL ? '' : String(reason)))
  })
  try {
    await once(socket, 'open')
  } catch (error) {
    throw new CommandError(`no conversation with ${url.split('?')[0]}: ${(error as Error).message}`)
  }
  return { incoming, closed, send: (text) => socket.send(text), close: () => socket.close(NORMAL) }
}
