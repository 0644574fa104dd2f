/** Answers that are there as a whole: head and body leave together, packed by gzip or deflate where the client asks and it is worth it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { deflateSync, gzipSync } from 'node:zlib'
import { headerText } from './header-text.js'

export interface WholeReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** As it left: names and values in turn, which is the form that Node writes without building another. */
export interface SentReply {
  readonly status: number
  readonly head: string[]
  readonly body: string | Uint8Array
}

/** Below this a packet is sent anyway. */
const WORTH_BYTES = 1_400
/** The fastest level: most of what is gained, at a fifth of the time. */
const LEVEL = 1

export function sendWhole(reply: WholeReply, request: IncomingMessage, response: ServerResponse): SentReply {
  const sent = packed(reply, request)
  sendAgain(sent, response)
  return sent
}

export function sendAgain({ status, head, body }: SentReply, response: ServerResponse): void {
  response.writeHead(status, head)
  response.end(body)
}

function packed({ status, headers, body }: WholeReply, { headers: asked }: IncomingMessage): SentReply {
  const encoding = body.length < WORTH_BYTES ? undefined : encodingOf(asked['accept-encoding'])
  const sent = encoding === undefined ? body : compressed(body, encoding)
  const head: string[] = []
  for (const name in headers) if (name !== 'Vary') head.push(name, headerText(headers[name]!))
  head.push('Vary', varyOf(headers))
  if (encoding !== undefined) head.push('Content-Encoding', encoding)
  head.push('Content-Length', String(typeof sent === 'string' ? Buffer.byteLength(sent) : sent.length))
  return { status, head, body: sent }
}

/** Every answer might have been packed. */
export function varyOf({ Vary }: Readonly<Record<string, string>>): string {
  return Vary === undefined ? 'Accept-Encoding' : `Accept-Encoding, ${Vary}`
}

type Encoding = 'gzip' | 'deflate'

function encodingOf(accepted: string | string[] | undefined): Encoding | undefined {
  if (accepted === undefined) return undefined
  return accepted.includes('gzip') ? 'gzip' : accepted.includes('deflate') ? 'deflate' : undefined
}

/** The bytes of a row are the same as long as the row is, so are the compressed ones. */
const known = new WeakMap<Uint8Array, { gzip?: Buffer; deflate?: Buffer }>()

function compressed(body: string | Uint8Array, encoding: Encoding): Buffer {
  const pack = encoding === 'gzip' ? gzipSync : deflateSync
  if (typeof body === 'string') return pack(body, { level: LEVEL })
  const forms = known.get(body) ?? {}
  known.set(body, forms)
  forms[encoding] ??= pack(body, { level: LEVEL })
  return forms[encoding]
}
