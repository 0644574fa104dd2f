/**
 * Answers that were sent a moment ago and would be the same again, head and all: until the state changes nothing of them needs to be looked up or
 * put together. What is asked the same way is found by its address as sent.
 */
import type { IncomingMessage } from 'node:http'
import type { LogIndex } from '../../domain/index.js'
import type { SentReply } from './reply.js'

const ANSWERS_MAX = 1_024
const BYTES_MAX = 16 * 1024 * 1024

interface Ready {
  readonly encoding: string | undefined
  readonly reply: SentReply
}

export class ReadyAnswers {
  readonly #isCurrent: (index: LogIndex) => boolean
  readonly #answers = new Map<string, Ready>()
  #index: LogIndex = -1
  #bytes = 0

  /** @param isCurrent whether the state is still that of the index, and may be told */
  constructor(isCurrent: (index: LogIndex) => boolean) {
    this.#isCurrent = isCurrent
  }

  find({ method, url = '/', headers }: IncomingMessage): SentReply | undefined {
    if (method !== 'GET') return undefined
    const ready = this.#answers.get(url)
    if (ready === undefined || ready.encoding !== encodingOf(headers)) return undefined
    return this.#isCurrent(this.#index) ? ready.reply : undefined
  }

  /** @param index of the state that it was read from */
  keep({ method, url = '/', headers }: IncomingMessage, index: LogIndex, reply: SentReply): void {
    if (method !== 'GET' || index < this.#index || reply.body.length > BYTES_MAX) return
    if (index > this.#index || this.#answers.size >= ANSWERS_MAX || this.#bytes + reply.body.length > BYTES_MAX) this.#clear(index)
    this.#bytes += reply.body.length - (this.#answers.get(url)?.reply.body.length ?? 0)
    this.#answers.set(url, { encoding: encodingOf(headers), reply })
  }

  #clear(index: LogIndex): void {
    this.#answers.clear()
    this.#bytes = 0
    this.#index = index
  }
}

function encodingOf(headers: IncomingMessage['headers']): string | undefined {
  return headers['accept-encoding']?.toString()
}
