import { afterEach, expect, test } from 'vitest'
import { KeptShell } from '../../src/adapters/kept-shell.js'

let shell = new KeptShell()
afterEach(() => {
  shell.close()
  shell = new KeptShell()
})

test('runs what it is told, with every word as it is', async () => {
  const words = ["it's", 'two words', 'a\nline', '$HOME', '', '*']
  const { exitCode, output } = await shell.run(['printf', '<%s>', ...words])
  expect([exitCode, output]).toEqual([0, words.map((word) => `<${word}>`).join('')])
})

test('answers several calls in their order, with exit code and complaint of each', async () => {
  const outcomes = await Promise.all([
    shell.run(['echo', 'one']),
    shell.run(['ls', '/does/not/exist']),
    shell.run(['sh', '-c', 'exit 7']),
    shell.run(['echo', 'four']),
  ])
  expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 2, 7, 0])
  expect(outcomes[1]!.output).toContain('/does/not/exist')
  expect(outcomes[3]!.output).toBe('four\n')
})

test('a command reads nothing of what is meant for the next', async () => {
  const [first, second] = await Promise.all([shell.run(['cat']), shell.run(['echo', 'second'])])
  expect([first.output, second.output]).toEqual(['', 'second\n'])
})

test('a shell that was killed refuses what it was at, and the next call starts another', async () => {
  const { output } = await shell.run(['sh', '-c', 'echo $PPID'])
  const waiting = shell.run(['sh', '-c', `while kill -0 ${Number(output)}; do sleep 0.02; done`])
  process.kill(Number(output), 'SIGKILL')
  await expect(waiting).rejects.toThrow('the shell ended')
  expect((await shell.run(['echo', 'again'])).output).toBe('again\n')
})
