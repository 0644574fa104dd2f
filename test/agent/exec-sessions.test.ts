/** Programs beside a task: what goes in and out, how they end, and how many there may be. */
import { expect, test } from 'vitest'
import { ExecSessions } from '../../src/agent/exec-sessions.js'
import type { ExecOutput, ExecPart, ExecRpcRequest, ExecSession } from '../../src/agent/index.js'
import { HandClock, settle } from './hand-clock.js'

class FakeSession implements ExecSession {
  readonly written: string[] = []
  isEnded = false
  #say: (output: ExecOutput | undefined) => void = () => {}
  exit: (code: number) => void = () => {}
  readonly exitCode = new Promise<number>((resolve) => {
    this.exit = resolve
  })

  readonly output: AsyncIterable<ExecOutput> = this.#outputs()

  async *#outputs(): AsyncIterable<ExecOutput> {
    for (;;) {
      const output = await new Promise<ExecOutput | undefined>((resolve) => {
        this.#say = resolve
      })
      if (output === undefined) return
      yield output
    }
  }

  say(text: string | undefined): void {
    this.#say(text === undefined ? undefined : { stream: 'stdout', data: new TextEncoder().encode(text) })
  }

  async write(data: Uint8Array): Promise<void> {
    this.written.push(new TextDecoder().decode(data))
  }

  endInput(): void {
    this.written.push('<end>')
  }

  async resize({ columns, rows }: { readonly columns: number; readonly rows: number }): Promise<void> {
    this.written.push(`<${columns}x${rows}>`)
  }

  end(): void {
    this.isEnded = true
    this.say(undefined)
    this.exit(137)
  }
}

function begin() {
  const clock = new HandClock()
  const session = new FakeSession()
  const sessions = new ExecSessions({ clock, shellOf: () => ({ exec: async () => session }) as never })
  const parts: ExecPart[] = []
  const gone = new AbortController()
  const request: ExecRpcRequest = { execId: 'e1', allocationId: 'a1', task: 'main', command: ['cat'] }
  const over = (async () => {
    for await (const part of sessions.run(request, gone.signal)) parts.push(part)
  })()
  const tell = (input: Parameters<ExecSessions['tell']>[0]['input'], execId = 'e1') => sessions.tell({ execId, input })
  return { clock, session, sessions, parts, gone, request, over, tell }
}

const bytes = (text: string) => new TextEncoder().encode(text)

test('what it is told reaches it in order, what it says is told, and its code at the end', async () => {
  const { session, parts, over, tell } = begin()
  await settle()
  await tell({ kind: 'data', data: bytes('hi') })
  await tell({ kind: 'resize', size: { columns: 100, rows: 30 } })
  await tell({ kind: 'end' })
  expect(session.written).toEqual(['hi', '<100x30>', '<end>'])
  session.say('hello')
  await settle()
  session.say(undefined)
  session.exit(4)
  await over
  expect(parts).toEqual([{ kind: 'started' }, { kind: 'output', stream: 'stdout', data: bytes('hello') }, { kind: 'exited', exitCode: 4 }])
  await expect(tell({ kind: 'end' })).rejects.toThrow('the program has ended')
})

test('one that says nothing is told to be there', async () => {
  const { clock, session, parts, over } = begin()
  await settle()
  await clock.advance(40_000)
  expect(parts.filter(({ kind }) => kind === 'idle')).toHaveLength(2)
  session.end()
  await over
  expect(clock.waiting).toBe(0)
})

test('whoever goes away ends it', async () => {
  const { session, gone, over, parts } = begin()
  await settle()
  gone.abort()
  await over
  expect([session.isEnded, parts.at(-1)]).toEqual([true, { kind: 'exited', exitCode: 137 }])
})

test('the same is not asked for twice, and there is an end to how many run', async () => {
  const { sessions, request, session, over } = begin()
  await settle()
  const first = async (execId: string) =>
    sessions
      .run({ ...request, execId }, new AbortController().signal)
      [Symbol.asyncIterator]()
      .next()
  await expect(first('e1')).rejects.toThrow('asked for before')
  for (let number = 2; number <= 64; number++) await first(`e${number}`)
  await expect(first('e65')).rejects.toThrow('64 programs run beside tasks of this host')
  session.end()
  await over
})
