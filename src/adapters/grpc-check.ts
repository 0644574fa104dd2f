/** The standard health question of gRPC, `grpc.health.v1.Health/Check`, spoken without a library: one message each way. */
import { connect, constants } from 'node:http2'
import type { CheckAnswer, GrpcCheck } from '../agent/index.js'

const SERVING = 1
const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']
const PREFIX_BYTES = 5

/** Never rejects. */
export function askGrpc({ host, port, service, isTls, isTlsVerified, timeoutMs }: GrpcCheck): Promise<CheckAnswer> {
  return new Promise((resolve) => {
    const address = `${isTls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
    const session = connect(address, { rejectUnauthorized: isTlsVerified })
    let body = Buffer.alloc(0)
    let grpcStatus: string | undefined
    const answer = (isPassing: boolean, output: string) => {
      clearTimeout(timer)
      session.destroy()
      resolve({ isPassing, output, statusCode: 0 })
    }
    const timer = setTimeout(() => answer(false, `gRPC ${host}:${port}: no answer within ${timeoutMs} ms`), timeoutMs)
    session.on('error', (error) => answer(false, `gRPC ${host}:${port}: ${error.message}`))
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      te: 'trailers',
    })
    const hear = (headers: Readonly<Record<string, unknown>>) => {
      if (headers['grpc-status'] !== undefined) grpcStatus = String(headers['grpc-status'])
    }
    stream.on('response', hear)
    stream.on('trailers', hear)
    stream.on('error', (error: Error) => answer(false, `gRPC ${host}:${port}: ${error.message}`))
    stream.on('data', (chunk: Buffer) => {
      body = Buffer.concat([body, chunk]).subarray(0, 1024)
    })
    stream.on('end', () => {
      if (grpcStatus !== undefined && grpcStatus !== '0') return answer(false, `gRPC ${host}:${port}: status ${grpcStatus}`)
      const status = readStatus(body)
      answer(status === SERVING, `gRPC check ${host}:${port}: ${STATUS_NAMES[status] ?? status}`)
    })
    stream.end(healthRequest(service))
  })
}

/** A message of one text, field 1, behind the prefix of length. */
function healthRequest(service: string): Buffer {
  const name = Buffer.from(service)
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name])
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

/** Seven bits a byte, the lowest first. */
function varint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)]
}

/** Field 1 of the answer, a number below 128; 0 when it is left out. */
function readStatus(body: Buffer): number {
  const message = body.subarray(PREFIX_BYTES)
  return message[0] === 0x08 ? (message[1] ?? 0) : 0
}
