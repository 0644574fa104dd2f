/**
 * Webhooks of forges: that somebody who knows the secret says "look now". Whether the sender knows it is told from the bytes as they came,
 * and nothing is read of them, so that there is nothing in a payload that could be malformed. Where each forge puts its proof stands in its documentation on webhooks.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { HookOutcome, Webhooks } from '../api/index.js'
import { type Clock, explainError, type Logger } from '../domain/index.js'
import { readSecret, type Secret } from './secret.js'

export type ForgeKind = 'github' | 'gitlab' | 'gitea' | 'generic'

export interface Webhook {
  /** Of the source, as in the path that the forge calls. */
  readonly source: string
  readonly forge: ForgeKind
  readonly secret: Secret
}

export interface WebhookReceiverDeps {
  readonly webhooks: readonly Webhook[]
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly logger: Logger
  readonly onPush: (source: string) => void
  /** Somebody was not listened to, since there were too many: what he knows is to be found without him. */
  readonly onUnheard: (source: string) => void
}

/** Of one source: so many at once, and so many a second after that. */
const BURST = 30
const PER_SECOND = 5

/** Of sources without a webhook, or that do not exist. */
const OF_NOBODY = ''

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>
/** Whether the headers prove that the sender knows the secret. */
type Proof = (headers: Headers, body: Uint8Array, secret: string) => boolean

const PROOFS: Readonly<Record<ForgeKind, Proof>> = {
  github: (headers, body, secret) => isSigned(headers, 'x-hub-signature-256', 'sha256=', body, secret),
  gitea: (headers, body, secret) => isSigned(headers, 'x-gitea-signature', '', body, secret),
  generic: (headers, body, secret) => isSigned(headers, 'x-signature', 'sha256=', body, secret),
  gitlab: (headers, _body, secret) => isSame(textOf(headers, 'x-gitlab-token'), secret),
}

export class WebhookReceiver implements Webhooks {
  readonly #deps: WebhookReceiverDeps
  readonly #webhooks: ReadonlyMap<string, Webhook>
  readonly #buckets = new Map<string, TokenBucket>()
  readonly counts: ReadonlyMap<string, Record<HookOutcome, number>>

  constructor(deps: WebhookReceiverDeps) {
    this.#deps = deps
    this.#webhooks = new Map(deps.webhooks.map((webhook) => [webhook.source, webhook]))
    this.counts = new Map([...this.#webhooks.keys(), OF_NOBODY].map((source) => [source, { accepted: 0, refused: 0, 'too-many': 0 }]))
  }

  receive(source: string, headers: Headers, body: Uint8Array): HookOutcome {
    const outcome = this.#judge(source, headers, body)
    // Names of others are made up by whoever asks.
    this.counts.get(this.#webhooks.has(source) ? source : OF_NOBODY)![outcome]++
    if (outcome === 'accepted') this.#deps.onPush(source)
    if (outcome === 'too-many') this.#deps.onUnheard(source)
    return outcome
  }

  #judge(source: string, headers: Headers, body: Uint8Array): HookOutcome {
    const webhook = this.#webhooks.get(source)
    // Told apart from a wrong signature by nobody outside.
    if (webhook === undefined) return 'refused'
    if (!this.#bucketOf(source).take(this.#deps.clock.monotonicMs())) return 'too-many'
    const secret = this.#secretOf(webhook)
    return secret !== undefined && PROOFS[webhook.forge](headers, body, secret) ? 'accepted' : 'refused'
  }

  #bucketOf(source: string): TokenBucket {
    const known = this.#buckets.get(source)
    if (known !== undefined) return known
    const made = new TokenBucket(this.#deps.clock.monotonicMs())
    this.#buckets.set(source, made)
    return made
  }

  #secretOf({ source, secret }: Webhook): string | undefined {
    try {
      return readSecret('secret of the webhook', secret)
    } catch (error) {
      this.#deps.logger.warn({ source, error: explainError(error) }, 'a webhook cannot be checked')
      return undefined
    }
  }
}

class TokenBucket {
  #tokens = BURST
  #atMs: number

  constructor(nowMs: number) {
    this.#atMs = nowMs
  }

  take(nowMs: number): boolean {
    this.#tokens = Math.min(BURST, this.#tokens + ((nowMs - this.#atMs) / 1000) * PER_SECOND)
    this.#atMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

function isSigned(headers: Headers, name: string, prefix: string, body: Uint8Array, secret: string): boolean {
  return isSame(textOf(headers, name), prefix + createHmac('sha256', secret).update(body).digest('hex'))
}

/** Takes as long for a wrong text as for the right one, however long either is. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}

/** '' for a header that is not there, or there several times. */
function textOf(headers: Headers, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : ''
}
