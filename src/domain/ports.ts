/** What every layer with a lifetime asks of the world: time, chance, a log and a bus. Declared here because server and agent share them. */

export interface Clock {
  /** Milliseconds since the epoch; may jump. Only for instants that people read. */
  wallMs(): number
  /** Milliseconds since some start; never jumps. For every TTL, lease, back-off and deadline. */
  monotonicMs(): number
  /** Calls back once, after `delayMs`. Returns the way to prevent it. */
  after(delayMs: number, callback: () => void): () => void
}

export interface Random {
  uuid(): string
  /** In [0, 1). */
  fraction(): number
}

/** Structured log: constant text, facts as fields. */
export interface Logger {
  debug(facts: object, text: string): void
  info(facts: object, text: string): void
  warn(facts: object, text: string): void
  error(facts: object, text: string): void
  /** The same logger with these facts bound to every line. */
  with(facts: object): Logger
}

/** Lossy, unordered, may deliver twice: whoever needs more says so by retrying and numbering. */
export interface Bus {
  /** False: it was not sent, because the bus is not there or the payload is too large. Never throws. */
  publish(subject: string, payload: Uint8Array): boolean
  /** `subject` may end in `.>` or hold `*` tokens, as NATS has them. */
  subscribe(subject: string, handler: (message: BusMessage) => void): () => void
  /** One answer. @throws OrchestratorError BUS_TIMEOUT, BUS_NO_RESPONDERS, BUS_CLOSED, BUS_TOO_LARGE */
  request(subject: string, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array>
  /** Many answers until the responder ends the stream or `signal` is aborted. @throws as `request`, also midway */
  requestStream(
    subject: string,
    payload: Uint8Array,
    options: { readonly idleTimeoutMs: number; readonly signal: AbortSignal },
  ): AsyncIterable<Uint8Array>
  /** False while the connection is down; nothing published then is kept. */
  isConnected(): boolean
  /** What one message may hold. Changes with the broker. */
  messageBytesMax(): number
  /** Calls back when the connection is lost (false) and when it is back (true). Returns the way to stop. */
  onConnectionChange(handler: (isConnected: boolean) => void): () => void
  /** Whether the broker answers within `timeoutMs`: a connection may look sound for seconds while the broker does nothing. Never rejects. */
  ping(timeoutMs: number): Promise<boolean>
  close(): Promise<void>
}

export interface BusMessage {
  readonly subject: string
  readonly payload: Uint8Array
  /** Answers a `request`; without effect when none waits. As all that follows, it never throws. */
  respond(payload: Uint8Array): void
  /** Answers a `requestStream`: any number of parts, then `endStream`. */
  stream(part: Uint8Array): void
  /** Resolves when the asker has taken enough of what was streamed for more to be sent. */
  drained(): Promise<void>
  endStream(error?: { readonly code: string; readonly message: string }): void
  /** Aborted when the asker of a stream has gone away. */
  readonly signal: AbortSignal
}
