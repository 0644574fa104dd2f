import { afterEach, expect, test } from 'vitest'
import { interruptSignal } from '../../src/main/interrupt.js'

afterEach(() => {
  process.removeAllListeners('SIGINT')
})

test('Ctrl-C ends a process as usual until somebody listens for it, and aborts from then on', () => {
  process.removeAllListeners('SIGINT')
  const signal = interruptSignal()
  expect(process.listenerCount('SIGINT')).toBe(0)
  expect(signal()).toBe(signal())
  expect([process.listenerCount('SIGINT'), signal().aborted]).toEqual([1, false])
  process.emit('SIGINT', 'SIGINT')
  expect([process.listenerCount('SIGINT'), signal().aborted]).toEqual([0, true])
})
