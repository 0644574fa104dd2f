/** The simulated shell does what a shell does, and says what it does not know. */
import { expect, test } from 'vitest'
import { SeededRandom } from '../../simulation/seeded-random.js'
import { VirtualTime } from '../../simulation/virtual-time.js'
import { VirtualDisk } from './disk.js'
import { NeedsProcesses, parseScript } from './script.js'
import { ScriptRun } from './script-run.js'

function begin(script: string, files: Readonly<Record<string, string>> = {}) {
  const time = new VirtualTime(new SeededRandom(1))
  const disk = new VirtualDisk()
  for (const [path, text] of Object.entries(files)) disk.write(path, text)
  const run = new ScriptRun({
    script: parseScript(script),
    environment: { WORD: 'two words', FOLDER: '/data' },
    folder: '/task',
    logs: { stdout: '/out', stderr: '/err' },
    disk,
    after: (delayMs, work) => time.after(delayMs, work),
    onTrouble: (error) => {
      throw error
    },
  })
  const wait = (ms: number) => time.runUntil(time.nowMs + ms, () => {})
  return { run, disk, wait }
}

test('words, quotes, variables and streams', async () => {
  const { run, disk, wait } = begin(
    `echo $WORD "$WORD" '$WORD' >> $FOLDER/x; echo bad >&2; cat missing 2>/dev/null || echo none; X=1; echo $X`,
  )
  await wait(100)
  expect(run.exit).toEqual({ exitCode: 0, signal: 0, isOutOfMemory: false })
  expect(disk.read('/data/x')).toBe('two words two words $WORD\n')
  expect(disk.read('/err')).toBe('bad\n')
  expect(disk.read('/out')).toBe('none\n1\n')
})

test('a loop waits for a file, and branches tell one start from the next', async () => {
  const script = 'while [ ! -e end ]; do sleep 0.1; done; if [ -e local/m ]; then exit 3; else touch local/m; fi; exit 4'
  const { run, disk, wait } = begin(script)
  await wait(5_000)
  expect(run.exit).toBeUndefined()
  disk.write('/task/end', '')
  await wait(200)
  expect(run.exit?.exitCode).toBe(4)
  const second = begin(script, { '/task/end': '', '/task/local/m': '' })
  await second.wait(200)
  expect(second.run.exit?.exitCode).toBe(3)
})

test('a signal ends what does not listen, and runs the handler of what does once its command has ended', async () => {
  const deaf = begin('exec sleep 600')
  await deaf.wait(10)
  deaf.run.signal('SIGINT')
  expect(deaf.run.exit).toEqual({ exitCode: 130, signal: 2, isOutOfMemory: false })
  const polite = begin(`trap 'echo bye; exit 7' INT TERM; while true; do sleep 1; done`)
  await polite.wait(500)
  polite.run.signal('SIGTERM')
  expect(polite.run.exit).toBeUndefined()
  await polite.wait(1_000)
  expect([polite.run.exit?.exitCode, polite.disk.read('/out')]).toEqual([7, 'bye\n'])
  const stubborn = begin(`trap '' INT; while true; do sleep 1; done`)
  await stubborn.wait(100)
  stubborn.run.signal('SIGINT')
  await stubborn.wait(5_000)
  expect(stubborn.run.exit).toBeUndefined()
  stubborn.run.signal('SIGKILL')
  expect(stubborn.run.exit?.exitCode).toBe(137)
})

test.each(['yes | head', 'echo `id`', 'echo $(id)', 'python3 x.py', 'sleep 1 &', 'exec server', '$WORD', 'ls *'])(
  '%s needs a real shell',
  (text) => {
    expect(() => parseScript(text)).toThrow(NeedsProcesses)
  },
)
