/** Node's own server, which holds every request that asks for something newer until it is told to answer them all. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const held: ServerResponse[] = []
let index = 1

function answer(response: ServerResponse): void {
  const body = '{}'
  response
    .writeHead(200, ['X-Nomad-Index', String(index), 'Content-Type', 'application/json', 'Content-Length', String(body.length)])
    .end(body)
}

const server = createServer((request, response) => {
  if (request.url?.includes('index=') === true) held.push(response)
  else answer(response)
})
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
process.on('message', () => {
  index++
  for (const response of held.splice(0)) answer(response)
})
