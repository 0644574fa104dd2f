/** gzip and deflate where the client asks for them and it is worth it. */
import { deflateSync, gzipSync } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Below this a packet is sent anyway. */
const WORTH_BYTES = 1_400
/** The fastest level: most of what is gained, at a fifth of the time. */
const LEVEL = 1

export function compress(body: string | Uint8Array, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const vary = reply.getHeader('vary')
  reply.header('Vary', vary === undefined ? 'Accept-Encoding' : `Accept-Encoding, ${String(vary)}`)
  const accepted = request.headers['accept-encoding']
  if (accepted === undefined || body.length < WORTH_BYTES) return reply.send(body)
  const encoding = accepted.includes('gzip') ? 'gzip' : accepted.includes('deflate') ? 'deflate' : undefined
  if (encoding === undefined) return reply.send(body)
  reply.header('Content-Encoding', encoding)
  return reply.send(compressed(body, encoding))
}

/** The bytes of a row are the same as long as the row is, so are the compressed ones. */
const known = new WeakMap<Uint8Array, { gzip?: Buffer; deflate?: Buffer }>()

function compressed(body: string | Uint8Array, encoding: 'gzip' | 'deflate'): Buffer {
  const pack = encoding === 'gzip' ? gzipSync : deflateSync
  if (typeof body === 'string') return pack(body, { level: LEVEL })
  const packed = known.get(body) ?? {}
  known.set(body, packed)
  packed[encoding] ??= pack(body, { level: LEVEL })
  return packed[encoding]
}
