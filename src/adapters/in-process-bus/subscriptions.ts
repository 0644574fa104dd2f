/** Who listens to which subject. Most name one subject: they are found without looking at all others. */
import type { BusMessage } from '../../domain/index.js'
import { matchesSubject } from '../subjects.js'

export type Handler = (message: BusMessage) => void

export interface Subscription {
  readonly subject: string
  readonly handler: Handler
}

export class Subscriptions {
  /** By subject, with the order in which they came. */
  readonly #exact = new Map<string, Map<Subscription, number>>()
  readonly #patterns = new Map<Subscription, number>()
  #count = 0

  add(subscription: Subscription): void {
    const { subject } = subscription
    this.#count++
    if (isPattern(subject)) this.#patterns.set(subscription, this.#count)
    else this.#exact.set(subject, (this.#exact.get(subject) ?? new Map()).set(subscription, this.#count))
  }

  delete(subscription: Subscription): void {
    this.#patterns.delete(subscription)
    const others = this.#exact.get(subscription.subject)
    others?.delete(subscription)
    if (others?.size === 0) this.#exact.delete(subscription.subject)
  }

  /** In the order in which they subscribed. */
  find(subject: string): readonly Handler[] {
    const matching = [...this.#patterns].filter(([pattern]) => matchesSubject(pattern.subject, subject))
    const all = [...(this.#exact.get(subject) ?? []), ...matching]
    return all.sort(([, one], [, other]) => one - other).map(([{ handler }]) => handler)
  }
}

function isPattern(subject: string): boolean {
  return subject.split('.').some((token) => token === '*' || token === '>')
}
