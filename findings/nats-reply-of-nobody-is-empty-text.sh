#!/usr/bin/env bash
# nats 2.29.3 (nats.js): `Msg.reply` is declared as `reply?: string`, and a message that nobody wants an answer to has the empty text there,
# not undefined. Code that asks `msg.reply === undefined`, or writes `msg.reply ?? other`, takes every message for a question; an answer
# that is published to that subject is refused with BAD_SUBJECT, in the handler of the message. `msg.respond()` knows: it returns false.
#
# Seen with nats 2.29.3, Node 20.20, against a broker of a few lines: `reply: "" (string), respond: false, publish: BAD_SUBJECT`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --save-exact nats@2.29.3 >/dev/null
cat > reply.mjs <<'JS'
import { createServer } from 'node:net'
import nats from 'nats'

// Enough of the protocol for one subscription: it is sent one message without a reply subject.
const info = { server_id: 'one', version: '2.10.0', proto: 1, max_payload: 1_048_576, headers: true }
const broker = createServer((socket) => {
  socket.on('error', () => {})
  socket.write(`INFO ${JSON.stringify(info)}\r\n`)
  socket.on('data', (data) => {
    for (const line of data.toString().split('\r\n')) {
      const [, subject, id] = /^SUB (\S+)(?: \S+)? (\d+)$/.exec(line) ?? []
      if (line === 'PING') socket.write('PONG\r\n')
      if (subject !== undefined) socket.write(`MSG ${subject} ${id} 2\r\nhi\r\n`)
    }
  })
})
await new Promise((resolve) => broker.listen(0, '127.0.0.1', resolve))
const connection = await nats.connect({ servers: `127.0.0.1:${broker.address().port}` })
const message = await new Promise((resolve, reject) => {
  connection.subscribe('greetings', { callback: (error, one) => (error ? reject(error) : resolve(one)) })
})
const published = (() => {
  try {
    connection.publish(message.reply, new Uint8Array(0))
    return 'sent'
  } catch (error) {
    return error.code
  }
})()
const responded = message.respond(new Uint8Array(0))
console.log(`reply: ${JSON.stringify(message.reply)} (${typeof message.reply}), respond: ${responded}, publish: ${published}`)
await connection.close()
broker.close()
process.exit(message.reply === '' && responded === false && published === 'BAD_SUBJECT' ? 0 : 1)
JS
node reply.mjs
