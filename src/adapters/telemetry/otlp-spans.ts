/**
 * Spans to a collector, by OpenTelemetry's own library, over OTLP/HTTP in JSON. Import this file only where spans are wanted: the library takes
 * 15 MB and a fifth of a second.
 */
import { type Context, DiagLogLevel, diag, ROOT_CONTEXT, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor, type IdGenerator } from '@opentelemetry/sdk-trace-base'
import type { SpanTree } from '../../controller/index.js'
import { explainError, type Logger } from '../../domain/index.js'
import { systemClock } from '../clock.js'
import { readSecret, type Secret } from '../secret.js'

export interface OtlpOptions {
  /** Such as `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string
  readonly token: Secret | undefined
  /** Of this server. */
  readonly name: string
  readonly version: string
  readonly logger: Logger
}

/** What a collector that is away may cost; what is more is dropped. */
const QUEUE_MAX = 20_000
const SEND_EVERY_MS = 1_000
/** With all tries; a server that stops waits no longer than that either. */
const SEND_WITHIN_MS = 5_000

/** Ids are not chance here. */
class GivenIds implements IdGenerator {
  traceId = ''
  spanId = ''
  generateTraceId = () => this.traceId
  generateSpanId = () => this.spanId
}

export class OtlpSpans {
  readonly #ids = new GivenIds()
  readonly #provider: BasicTracerProvider
  readonly #tracer: Tracer

  constructor({ url, token, name, version, logger }: OtlpOptions) {
    tellProblems(logger)
    const headers = async () => headersOf(token, logger)
    const processor = new BatchSpanProcessor(new OTLPTraceExporter({ url, headers, timeoutMillis: SEND_WITHIN_MS }), {
      maxQueueSize: QUEUE_MAX,
      scheduledDelayMillis: SEND_EVERY_MS,
    })
    this.#provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'drover', 'service.instance.id': name, 'service.version': version }),
      spanProcessors: [processor],
      idGenerator: this.#ids,
    })
    this.#tracer = this.#provider.getTracer('drover', version)
  }

  send({ traceId, spans }: SpanTree): void {
    const contexts = new Map<string | undefined, Context>([[undefined, ROOT_CONTEXT]])
    this.#ids.traceId = traceId
    for (const { name, id, parentId, fromMs, untilMs, attributes, error } of spans) {
      this.#ids.spanId = id
      const parent = contexts.get(parentId) ?? ROOT_CONTEXT
      const span = this.#tracer.startSpan(name, { startTime: new Date(fromMs), attributes }, parent)
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error })
      contexts.set(id, trace.setSpan(ROOT_CONTEXT, span))
      span.end(new Date(untilMs))
    }
  }

  /** Sends what is left, as far as somebody takes it. */
  async close(): Promise<void> {
    const late = new Promise<void>((resolve) => systemClock.after(SEND_WITHIN_MS, resolve))
    await Promise.race([this.#provider.shutdown().catch(() => {}), late])
    diag.disable()
  }
}

/** Must not throw. */
function headersOf(token: Secret | undefined, logger: Logger): Record<string, string> {
  try {
    return token === undefined ? {} : { Authorization: `Bearer ${readSecret('token of the collector', token)}` }
  } catch (error) {
    logger.warn({ error: explainError(error) }, 'spans are sent without their token')
    return {}
  }
}

/** A collector that is away is told of in the log. */
function tellProblems(logger: Logger): void {
  const tell = (text: string) => logger.warn({ error: text.slice(0, 500) }, 'spans could not be sent')
  diag.setLogger({ error: tell, warn: tell, info: () => {}, debug: () => {}, verbose: () => {} }, DiagLogLevel.WARN)
}
