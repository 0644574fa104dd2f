/** A check that asks over HTTP. Redirects are followed, as Nomad follows them: what counts is what stands at their end. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { CheckAnswer, HttpCheck } from '../agent/index.js'
import { describeFailedConnection } from './failed-connection.js'

/** Of a body; what is beyond it is not kept. */
const OUTPUT_BYTES_MAX = 3 * 1024
const USER_AGENT = 'Drover Health Check'
const REDIRECTS_MAX = 10
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** After these whoever is redirected asks with the method and body that it had. */
const KEEP_METHOD = new Set([307, 308])
const PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

interface Heard {
  readonly statusCode: number
  readonly body: string
  readonly location: string | undefined
}

export async function askHttp(check: HttpCheck): Promise<CheckAnswer> {
  const signal = AbortSignal.timeout(check.timeoutMs)
  let { url, method, body } = check
  for (let redirects = 0; ; redirects++) {
    let heard: Heard
    try {
      heard = await ask({ ...check, url, method, body }, signal)
    } catch (error) {
      return failing(`nomad: ${titled(method)} ${JSON.stringify(url)}: ${reasonOf(error as Error, url, signal)}`)
    }
    const { statusCode, location } = heard
    if (!REDIRECTS.has(statusCode) || location === undefined) return answerOf(heard)
    if (redirects === REDIRECTS_MAX)
      return failing(`nomad: ${titled(method)} ${JSON.stringify(location)}: stopped after ${REDIRECTS_MAX} redirects`)
    const next = URL.canParse(location, url) ? new URL(location, url) : undefined
    if (next === undefined || !(next.protocol in PORTS))
      return failing(`nomad: ${titled(method)} ${JSON.stringify(location)}: it is redirected to what is no address over HTTP`)
    url = next.href
    if (KEEP_METHOD.has(statusCode)) continue
    if (method !== 'HEAD') method = 'GET'
    body = ''
  }
}

function answerOf({ statusCode, body }: Heard): CheckAnswer {
  const isPassing = statusCode >= 200 && statusCode < 400
  return { isPassing, output: isPassing ? 'nomad: http ok' : body, statusCode }
}

function failing(output: string): CheckAnswer {
  return { isPassing: false, output, statusCode: 0 }
}

/** @throws Error as `node:http` does, or when it is too late */
function ask({ url, method, headers, body, isTlsVerified, tlsServerName }: HttpCheck, signal: AbortSignal): Promise<Heard> {
  const begin = url.startsWith('https:') ? httpsRequest : httpRequest
  const sent: Record<string, string | string[]> = { 'User-Agent': USER_AGENT }
  for (const [name, values] of Object.entries(headers)) sent[name] = values.length === 1 ? values[0]! : [...values]
  return new Promise((resolve, reject) => {
    const asked = begin(url, {
      method,
      headers: sent,
      rejectUnauthorized: isTlsVerified,
      ...(tlsServerName === '' ? {} : { servername: tlsServerName }),
      signal,
      agent: false,
    })
    asked.on('error', reject)
    asked.on('response', (response) => {
      const { statusCode = 0, headers } = response
      readBeginning(response).then((text) => resolve({ statusCode, body: text, location: headers.location }), reject)
    })
    asked.end(body)
  })
}

function readBeginning(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = Buffer.alloc(0)
    response.on('error', reject)
    response.on('data', (chunk: Buffer) => {
      if (output.length < OUTPUT_BYTES_MAX) output = Buffer.concat([output, chunk]).subarray(0, OUTPUT_BYTES_MAX)
    })
    response.on('end', () => resolve(output.toString()))
  })
}

/** `Get`, as Go writes a method in its errors. */
function titled(method: string): string {
  return `${method.slice(0, 1)}${method.slice(1).toLowerCase()}`
}

function reasonOf(error: NodeJS.ErrnoException, url: string, signal: AbortSignal): string {
  if (signal.aborted) return 'context deadline exceeded'
  if (error.code?.startsWith('HPE_') === true) return `malformed HTTP response: ${error.message}`
  const { hostname, port, protocol } = new URL(url)
  return describeFailedConnection(error, hostname, port === '' ? PORTS[protocol]! : Number(port))
}
