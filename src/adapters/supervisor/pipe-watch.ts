/**
 * Waits for many pipes at once without reading from them, which streams of Node cannot. One thread sleeps in the kernel (epoll) and costs
 * nothing while nobody writes.
 */
import { closeSync, writeSync } from 'node:fs'
import koffi from 'koffi'

const libc = koffi.load(null)
const epollCreate = libc.func('int epoll_create1(int)')
const epollControl = libc.func('int epoll_ctl(int, int, int, void *)')
const epollWait = libc.func('int epoll_wait(int, void *, int, int)')
const eventfd = libc.func('int eventfd(unsigned int, int)')

const O_CLOEXEC = 0o2000000
const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLLIN = 0x1
const EPOLLHUP = 0x10
const EVENTS_MAX = 64
/** The kernel packs its events on some processors only. */
const [EVENT_BYTES, KEY_AT] = ['x64', 'ia32'].includes(process.arch) ? ([12, 4] as const) : ([16, 8] as const)
/** Of what wakes the thread. */
const WAKE_KEY = 0
const AGAIN_MS = 10

interface Watched {
  readonly fd: number
  readonly take: () => number
}

export class PipeWatch {
  readonly #epoll = orThrow('epoll_create1', epollCreate(O_CLOEXEC))
  readonly #wake = orThrow('eventfd', eventfd(0, O_CLOEXEC))
  readonly #events = Buffer.alloc(EVENTS_MAX * EVENT_BYTES)
  /** By a key of its own: the number of a descriptor is given away again, and an event may be older. */
  readonly #watched = new Map<number, Watched>()
  #lastKey = WAKE_KEY
  #isAwake = false
  #isClosed = false

  constructor() {
    this.#add(this.#wake, WAKE_KEY)
    // This process does not end before its threads do.
    process.once('exit', this.#wakeUp)
  }

  /** @param take called while there is something in the pipe; tells how many bytes it took out @returns what ends it, before `fd` is closed */
  add(fd: number, take: () => number): () => void {
    const key = ++this.#lastKey
    this.#add(fd, key)
    this.#watched.set(key, { fd, take })
    if (!this.#isAwake) this.#wait()
    this.#isAwake = true
    return () => this.#remove(key)
  }

  close(): void {
    this.#isClosed = true
    process.off('exit', this.#wakeUp)
    if (this.#isAwake) this.#wakeUp()
    else this.#closeDescriptors()
  }

  #add(fd: number, key: number): void {
    const event = Buffer.alloc(EVENT_BYTES)
    event.writeUInt32LE(EPOLLIN)
    event.writeUInt32LE(key, KEY_AT)
    orThrow('epoll_ctl', epollControl(this.#epoll, EPOLL_CTL_ADD, fd, event))
  }

  #remove(key: number): void {
    const watched = this.#watched.get(key)
    if (watched === undefined) return
    this.#watched.delete(key)
    epollControl(this.#epoll, EPOLL_CTL_DEL, watched.fd, null)
  }

  /** Looks first, because who talks much has said more meanwhile, and a thread is dear. */
  #look(): void {
    const count = this.#isClosed ? 0 : epollWait(this.#epoll, this.#events, EVENTS_MAX, 0)
    if (count <= 0) return this.#wait()
    this.#takeAll(count)
    setImmediate(() => this.#look())
  }

  #wait(): void {
    if (this.#isClosed) return this.#closeDescriptors()
    epollWait.async(this.#epoll, this.#events, EVENTS_MAX, -1, (_error: unknown, count: number) => {
      if (this.#isClosed) return this.#closeDescriptors()
      this.#takeAll(count)
      if (count > 0) setImmediate(() => this.#look())
      // Interrupted; whatever else it might be, this process must not spin.
      else setTimeout(() => this.#wait(), AGAIN_MS)
    })
  }

  #takeAll(count: number): void {
    for (let at = 0; at < count * EVENT_BYTES; at += EVENT_BYTES) {
      const watched = this.#watched.get(this.#events.readUInt32LE(at + KEY_AT))
      const isHungUp = (this.#events.readUInt32LE(at) & EPOLLHUP) !== 0
      // Nobody is left who could write.
      if (watched?.take() === 0 && isHungUp) this.#remove(this.#events.readUInt32LE(at + KEY_AT))
    }
  }

  readonly #wakeUp = (): void => {
    const one = Buffer.alloc(8)
    one.writeBigUInt64LE(1n)
    writeSync(this.#wake, one)
  }

  #closeDescriptors(): void {
    closeSync(this.#epoll)
    closeSync(this.#wake)
  }
}

function orThrow(call: string, result: number): number {
  if (result < 0) throw new Error(`${call} failed with ${koffi.errno()}`)
  return result
}
