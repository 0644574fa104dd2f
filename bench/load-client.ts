/** Asks one path again and again, in a process of its own that loads nothing else: what it is told by a message, and answers with one. */
import { connect, type Socket } from 'node:net'

const CONNECTIONS = 32

export interface LoadRequest {
  readonly port: number
  readonly path: string
  readonly durationMs: number
}

async function drive({ port, path, durationMs }: LoadRequest): Promise<number> {
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  const start = performance.now()
  const counts = await Promise.all(Array.from({ length: CONNECTIONS }, () => driveOne(port, request, start + durationMs)))
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - start) / 1000)
}

/** One connection: the next request leaves when the answer to the last one is complete. */
function driveOne(port: number, request: Buffer, endMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(request))
    let count = 0
    socket.setNoDelay(true)
    socket.on('error', reject)
    const next = () => {
      count++
      if (performance.now() < endMs) return void socket.write(request)
      socket.destroy()
      resolve(count)
    }
    let isEnd = isWhole()
    socket.on('data', (chunk) => {
      if (!isEnd(chunk)) return
      isEnd = isWhole()
      next()
    })
  })
}

/** Whether a piece is the last of one answer; the head always comes whole. A body comes with its length or in chunks. */
function isWhole(): (chunk: Buffer) => boolean {
  let missing: number | undefined
  let isChunked = false
  return (chunk) => {
    if (missing === undefined) {
      const head = chunk.indexOf('\r\n\r\n')
      const text = chunk.subarray(0, head).toString('latin1')
      if (!text.startsWith('HTTP/1.1 200')) throw new Error(`unexpected answer: ${text}`)
      isChunked = /transfer-encoding: chunked/i.test(text)
      missing = isChunked ? 0 : head + 4 + Number(/content-length: (\d+)/i.exec(text)![1])
    }
    missing -= chunk.length
    return isChunked ? chunk.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK) : missing === 0
  }
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n')

process.on('message', (request: LoadRequest) => {
  drive(request).then(
    (rate) => process.send!({ rate }),
    (error: unknown) => process.send!({ error: String(error) }),
  )
})
