/**
 * Somebody on the bus without a key: hears everything, says it again later or elsewhere, changes it, and makes up its own. None of it
 * may be heeded by anybody (S1).
 */
import { type DesiredSet, decodeMessage, encodeMessage, hashEntries, openPart, type Signer, sealMessage } from '../../src/agent/index.js'
import type { Bus } from '../../src/domain/index.js'
import { fakeSigner, fakeVerify } from '../fake-keys.js'
import type { SeededRandom } from './seeded-random.js'
import type { MessageWay } from './simulated-network.js'

interface Overheard {
  readonly subject: string
  readonly payload: Uint8Array
}

const KEPT_MAX = 400
const STRANGER = fakeSigner('KEY-stranger')
/** Beyond everything that a cluster counts: whoever believes it hears nobody else ever after. */
const FAR_AWAY = 2 ** 40

export class Eavesdropper {
  readonly #bus: Bus
  readonly #random: SeededRandom
  readonly #kept: Overheard[] = []
  /** The newest beat of each host by its subject, the longest silent first. */
  readonly #beats = new Map<string, Uint8Array>()

  constructor(bus: Bus, random: SeededRandom) {
    this.#bus = bus
    this.#random = random
  }

  hear(subject: string, payload: Uint8Array, kind: MessageWay): void {
    if (kind === 'request' && subject.endsWith('.heartbeat')) {
      this.#beats.delete(subject)
      this.#beats.set(subject, payload)
    }
    if (this.#kept.length < KEPT_MAX) this.#kept.push({ subject, payload })
    else this.#kept[this.#random.between(0, KEPT_MAX - 1)] = { subject, payload }
  }

  /** Something that was said, or nearly. */
  speak(): void {
    if (this.#kept.length === 0) return
    this.#pretendToLive()
    const { subject, payload } = this.#random.pick(this.#kept)
    const acts = [
      () => this.#say(subject, payload),
      () => this.#say(this.#random.pick(this.#kept).subject, payload),
      () => this.#say(subject, this.#bent(payload)),
      () => this.#say(subject, this.#ownSeal(payload)),
      () => this.#sayEmptySet(),
    ]
    this.#random.pick(acts)()
  }

  /** As if it were the hosts that have been silent for longest. */
  #pretendToLive(): void {
    for (const [subject, beat] of [...this.#beats].slice(0, 2)) this.#bus.request(subject, beat, 1_000).catch(() => {})
  }

  /** Half of the time as a question, to see what is answered. */
  #say(subject: string, payload: Uint8Array): void {
    if (this.#random.chance(0.5)) this.#bus.publish(subject, payload)
    else this.#bus.request(subject, payload, 1_000).catch(() => {})
  }

  #bent(payload: Uint8Array): Uint8Array {
    const bent = Uint8Array.from(payload)
    bent[this.#random.between(0, bent.length - 1)]! ^= 1 << this.#random.between(0, 7)
    return bent
  }

  /** Under its own key, or under the name of another's key, which it does not have. */
  #signer(of: string): Signer {
    return this.#random.chance(0.5) ? STRANGER : { publicKey: of, sign: (bytes) => STRANGER.sign(bytes) }
  }

  /** The same under a seal of its own, of another epoch. */
  #ownSeal(payload: Uint8Array): Uint8Array {
    const part = openPart(payload, fakeVerify)
    return sealMessage(
      this.#signer(part.signer),
      { ...part, epoch: this.#random.chance(0.5) ? part.epoch : FAR_AWAY },
      part.piece,
      Number.MAX_SAFE_INTEGER,
    )[0]!
  }

  /** What would end everything on a host. */
  #sayEmptySet(): void {
    const heard = this.#kept.map(({ subject, payload }) => ({ subject, part: openPart(payload, fakeVerify) }))
    const sets = heard.filter(({ part }) => part.kind === 'desired' && part.parts === 1)
    if (sets.length === 0) return
    const { subject, part } = this.#random.pick(sets)
    const set: DesiredSet = {
      ...decodeMessage('desired', part.piece, part),
      epoch: FAR_AWAY,
      version: FAR_AWAY,
      entries: [],
      count: 0,
      hash: hashEntries([]),
      bodies: [],
      jobs: [],
    }
    const seal = { ...part, epoch: FAR_AWAY, number: FAR_AWAY }
    for (const bytes of sealMessage(this.#signer(part.signer), seal, encodeMessage('desired', set), Number.MAX_SAFE_INTEGER))
      this.#bus.publish(subject, bytes)
  }
}
