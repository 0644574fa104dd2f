/** Clients that wait, in a process of their own that loads nothing else: parked queries on jobs, and followers of events of which some never read. */
import { connect, type Socket } from 'node:net'

export type WaitOrder =
  /** So many queries, on the jobs in turn; each is asked again when it was answered. */
  | { readonly kind: 'park'; readonly port: number; readonly count: number; readonly paths: readonly string[] }
  | { readonly kind: 'follow'; readonly port: number; readonly count: number; readonly stalledCount: number }
  /** Tell when so many answers have come from now on, or so many followers have seen an event with the text. */
  | { readonly kind: 'await'; readonly count: number; readonly text: string }

export type WaitNews =
  | { readonly kind: 'waiting' }
  /** `missed`: answers that told of nothing newer than what was known. */
  | { readonly kind: 'came'; readonly missed: number }

let came = 0
let missed = 0
let wanted = Number.POSITIVE_INFINITY
let wantedText = ''

process.on('message', (order: WaitOrder) => {
  if (order.kind === 'await') {
    came = 0
    wanted = order.count
    wantedText = order.text
    return
  }
  const begun = order.kind === 'park' ? parkAll(order) : followAll(order)
  begun.then(
    () => process.send!({ kind: 'waiting' } satisfies WaitNews),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})

function count(): void {
  came++
  if (came !== wanted) return
  process.send!({ kind: 'came', missed } satisfies WaitNews)
}

const AT_ONCE = 50

async function parkAll({ port, count, paths }: Extract<WaitOrder, { kind: 'park' }>): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, at) => paths[(from + at) % paths.length]!)
    await Promise.all(some.map((path) => park(port, path)))
  }
  // The last questions are under way.
  await new Promise((resolve) => setTimeout(resolve, 1_000))
}

/** Asks for what there is, and then for what is newer, again and again. Resolves when it waits. */
function park(port: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let index = 0
    const ask = () => socket.write(`GET ${path}${index === 0 ? '' : `?index=${index}&wait=600s`} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    const socket = open(port, ask)
    socket.on('error', reject)
    onAnswers(socket, (head) => {
      const told = Number(/x-nomad-index: (\d+)/i.exec(head)?.[1] ?? 0)
      if (index > 0 && told <= index) missed++
      const isFirst = index === 0
      index = told
      ask()
      if (isFirst) resolve()
      else count()
    })
  })
}

function onAnswers(socket: Socket, onAnswer: (head: string) => void): void {
  let missing = 0
  let head = ''
  socket.on('data', (chunk) => {
    if (missing === 0) {
      const end = chunk.indexOf('\r\n\r\n')
      head = chunk.subarray(0, end).toString('latin1')
      missing = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    }
    missing -= chunk.length
    if (missing === 0) onAnswer(head)
  })
}

async function followAll({ port, count, stalledCount }: Extract<WaitOrder, { kind: 'follow' }>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, at) => follow(port, at < stalledCount)))
}

function follow(port: number, isStalled: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = open(port, () => socket.write('GET /v1/event/stream?topic=Job HTTP/1.1\r\nHost: localhost\r\n\r\n'))
    socket.on('error', reject)
    let isBegun = false
    let seenText = ''
    socket.on('data', (chunk) => {
      if (wantedText !== seenText && chunk.includes(wantedText)) {
        seenText = wantedText
        count()
      }
      if (isBegun) return
      isBegun = true
      if (isStalled) socket.pause()
      resolve()
    })
  })
}

function open(port: number, onConnect: () => void): Socket {
  return connect(port, '127.0.0.1', onConnect).setNoDelay(true)
}
