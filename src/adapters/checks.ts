/** Checks of services, asked from this host. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { CheckAnswer, CheckPort, HttpCheck } from '../agent/index.js'
import { askGrpc } from './grpc-check.js'

/** Of a body; what is beyond it is not kept. */
const OUTPUT_BYTES_MAX = 3 * 1024
const USER_AGENT = 'Drover Health Check'

export const checkPort: CheckPort = { http: askHttp, tcp: askTcp, grpc: askGrpc }

function failing(output: string, statusCode = 0): CheckAnswer {
  return { isPassing: false, output, statusCode }
}

function askHttp({ url, method, headers, body, timeoutMs, isTlsVerified, tlsServerName }: HttpCheck): Promise<CheckAnswer> {
  return new Promise((resolve) => {
    const begin = url.startsWith('https:') ? httpsRequest : httpRequest
    const sent: Record<string, string | string[]> = { 'User-Agent': USER_AGENT }
    for (const [name, values] of Object.entries(headers)) sent[name] = values.length === 1 ? values[0]! : [...values]
    const options = {
      method,
      headers: sent,
      rejectUnauthorized: isTlsVerified,
      ...(tlsServerName === '' ? {} : { servername: tlsServerName }),
      signal: AbortSignal.timeout(timeoutMs),
      agent: false as const,
    }
    let asked: ReturnType<typeof httpRequest>
    try {
      asked = begin(url, options)
    } catch (error) {
      return resolve(failing(`nomad: ${error instanceof Error ? error.message : String(error)}`))
    }
    const fail = (error: Error) =>
      resolve(
        failing(
          error.name === 'TimeoutError' || error.name === 'AbortError'
            ? `nomad: ${method} ${url}: no answer within ${timeoutMs} ms`
            : `nomad: ${method} ${url}: ${error.message}`,
        ),
      )
    asked.on('error', fail)
    asked.on('response', (response) => {
      const statusCode = response.statusCode ?? 0
      let output = Buffer.alloc(0)
      response.on('error', fail)
      response.on('data', (chunk: Buffer) => {
        if (output.length < OUTPUT_BYTES_MAX) output = Buffer.concat([output, chunk]).subarray(0, OUTPUT_BYTES_MAX)
      })
      response.on('end', () => {
        if (statusCode >= 200 && statusCode < 400) resolve({ isPassing: true, output: 'nomad: http ok', statusCode })
        else resolve(failing(output.length === 0 ? `nomad: ${statusCode}` : output.toString(), statusCode))
      })
    })
    asked.end(body)
  })
}

function askTcp({
  host,
  port,
  timeoutMs,
}: {
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
}): Promise<CheckAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const answer = (outcome: CheckAnswer) => {
      socket.destroy()
      resolve(outcome)
    }
    socket.setTimeout(timeoutMs, () => answer(failing(`dial tcp ${host}:${port}: i/o timeout`)))
    socket.on('connect', () => answer({ isPassing: true, output: 'nomad: tcp ok', statusCode: 0 }))
    socket.on('error', (error: NodeJS.ErrnoException) => answer(failing(`dial tcp ${host}:${port}: ${reasonOf(error)}`)))
  })
}

function reasonOf(error: NodeJS.ErrnoException): string {
  return error.code === 'ECONNREFUSED' ? 'connect: connection refused' : error.message
}
