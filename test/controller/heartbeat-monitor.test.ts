import { expect, test } from 'vitest'
import { HeartbeatMonitor } from '../../src/controller/heartbeat-monitor.js'
import { ManualClock } from './manual-clock.js'

function monitor() {
  const clock = new ManualClock()
  const silent: string[] = []
  const beats = new HeartbeatMonitor(clock, { ttlMs: 10_000, tickMs: 1_000 }, (nodeId) => silent.push(nodeId))
  return { clock, silent, beats }
}

test('a node is called silent once, after its whole TTL', () => {
  const { clock, silent, beats } = monitor()
  beats.heard('n1')
  clock.advance(9_000)
  expect(silent).toEqual([])
  clock.advance(2_000)
  expect(silent).toEqual(['n1'])
  clock.advance(60_000)
  expect(silent).toEqual(['n1'])
})

test('a node that is heard in time is never called silent', () => {
  const { clock, silent, beats } = monitor()
  for (let round = 0; round < 20; round++) {
    beats.heard('n1')
    clock.advance(8_000)
  }
  expect(silent).toEqual([])
})

test('after a pause of the server itself everyone has one full TTL, whatever was left of it and whatever the pause', () => {
  const { clock, silent, beats } = monitor()
  beats.heard('n1')
  clock.advance(9_500)
  clock.sleep(600_000)
  clock.advance(9_000)
  expect(silent).toEqual([])
  clock.advance(2_000)
  expect(silent).toEqual(['n1'])
})

test('a node whose last words were waiting when the server woke has one TTL from then', () => {
  const { clock, silent, beats } = monitor()
  clock.nowMs += 600_000
  beats.heard('n1')
  clock.sleep(0)
  clock.advance(11_000)
  expect(silent).toEqual(['n1'])
})

test('a node that was forgotten is not spoken of again', () => {
  const { clock, silent, beats } = monitor()
  beats.heard('n1')
  beats.forget('n1')
  clock.advance(60_000)
  expect(silent).toEqual([])
})
