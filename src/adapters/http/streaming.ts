/** Answers that come part by part, each sent at once. A client that goes away ends what produces them. */
import { once } from 'node:events'
import type { FastifyReply, FastifyRequest } from 'fastify'

export async function sendStream(
  status: number,
  headers: Readonly<Record<string, string>>,
  parts: AsyncIterable<Uint8Array | string>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(status, { ...headers, Vary: 'Accept-Encoding' })
  raw.flushHeaders()
  const { socket } = request.raw
  try {
    for await (const part of parts) {
      if (socket.destroyed) break
      if (!raw.write(part)) await Promise.race([once(raw, 'drain'), once(socket, 'close')])
    }
  } finally {
    raw.end()
  }
  return reply
}
