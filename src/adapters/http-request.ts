/**
 * A request over HTTP/1.1 in the shape of `fetch`, made with Node's own client: loading that of `fetch` costs a short program more
 * processor time than all else it does.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { text as readText } from 'node:stream/consumers'

export interface HttpRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly body?: string
}

export interface HttpAnswer {
  readonly ok: boolean
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: AsyncIterable<Uint8Array>
  text(): Promise<string>
  json(): Promise<unknown>
}

/** Rejects as Node's client does: with a code of the system's, or what the signal was aborted with. Redirects are not followed. */
export async function requestAnswer(url: string, { method, headers, signal, body }: HttpRequest): Promise<HttpAnswer> {
  const request = url.startsWith('https:') ? (await import('node:https')).request : requestHttp
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, { method, headers, signal })
    sent.once('response', resolve).once('error', reject)
    sent.end(body)
  })
  const status = message.statusCode ?? 0
  const text = () => readText(message)
  return {
    ok: status >= 200 && status < 300,
    status,
    headers: { get: (name) => message.headers[name]?.toString() ?? null },
    body: message,
    text,
    json: async () => JSON.parse(await text()) as unknown,
  }
}
