/** Checks of services, asked from this host. */
import { connect } from 'node:net'
import type { CheckAnswer, CheckPort } from '../agent/index.js'
import { describeFailedConnection } from './failed-connection.js'
import { askGrpc } from './grpc-check.js'
import { askHttp } from './http-check.js'

export const checkPort: CheckPort = { http: askHttp, tcp: askTcp, grpc: askGrpc }

function askTcp({ host, port, timeoutMs }: Parameters<CheckPort['tcp']>[0]): Promise<CheckAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const answer = (isPassing: boolean, output: string) => {
      socket.destroy()
      resolve({ isPassing, output, statusCode: 0 })
    }
    socket.setTimeout(timeoutMs, () => answer(false, `dial tcp ${host}:${port}: i/o timeout`))
    socket.on('connect', () => answer(true, 'nomad: tcp ok'))
    socket.on('error', (error) => answer(false, describeFailedConnection(error, host, port)))
  })
}
