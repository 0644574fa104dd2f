/**
 * The power button of a virtual machine: its monitor is asked over a socket in the root of the task. Source: QEMU docs, "QEMU Machine
 * Protocol Specification".
 */
import { lstatSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { OrchestratorError } from '../../../domain/index.js'
import { Lines } from '../../supervisor/protocol.js'

const ANSWER_WITHIN_MS = 5_000
/** Said in this order, each after the answer to the one before. */
const WORDS = ['qmp_capabilities', 'system_powerdown'].map((execute) => `${JSON.stringify({ execute })}\n`)

/**
 * @returns false: there is no such monitor
 * @throws OrchestratorError MONITOR when there is one that does not do it
 */
export async function powerDown(path: string): Promise<boolean> {
  // What runs in there may have put a link in its place.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false
  const socket = connect(path)
  try {
    await press(socket)
    return true
  } finally {
    socket.destroy()
  }
}

function press(socket: Socket): Promise<void> {
  const left = [...WORDS]
  const lines = new Lines()
  return new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(new OrchestratorError('MONITOR', `the machine could not be asked to power down: ${why}`))
    socket.setTimeout(ANSWER_WITHIN_MS, () => fail(`no answer within ${ANSWER_WITHIN_MS} ms`))
    socket.once('error', (error) => fail(error.message))
    socket.once('close', () => fail('its monitor has closed the connection'))
    socket.setEncoding('utf8').on('data', (text: string) => {
      for (const line of lines.add(text)) {
        const answer = readAnswer(line)
        if (answer.kind === 'refusal') return fail(answer.text)
        if (answer.kind === 'event') continue
        const next = left.shift()
        if (next === undefined) return resolve()
        socket.write(next)
      }
    })
  })
}

type Answer = { readonly kind: 'go-on' } | { readonly kind: 'event' } | { readonly kind: 'refusal'; readonly text: string }

function readAnswer(line: string): Answer {
  let said: unknown
  try {
    said = JSON.parse(line)
  } catch {
    return { kind: 'refusal', text: 'what it says is no JSON' }
  }
  if (typeof said !== 'object' || said === null) return { kind: 'refusal', text: 'what it says is no object' }
  if ('error' in said) return { kind: 'refusal', text: JSON.stringify(said.error) }
  return { kind: 'QMP' in said || 'return' in said ? 'go-on' : 'event' }
}
