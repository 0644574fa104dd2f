/** `pure/parse-duration`: durations in query parameters and messages, both ways. */
import { formatDuration, readDuration } from '../../../src/domain/index.js'
import { compareJson } from '../compare.js'
import type { VectorKind } from '../kind.js'

interface DurationCase {
  readonly name: string
  readonly parse?: string
  readonly ns?: number
  readonly error?: string
  readonly format?: number
  readonly text?: string
}

export const pureParseDuration: VectorKind = {
  kind: 'pure/parse-duration',
  *run(content) {
    for (const { name, parse, ns, error, format, text } of content as readonly DurationCase[]) {
      const mismatches = parse === undefined ? compareJson(text, formatDuration(format!)) : compareJson({ ns, error }, readingOf(parse))
      yield { name, mismatches }
    }
  },
}

function readingOf(text: string): { readonly ns: number | undefined; readonly error: string | undefined } {
  const reading = readDuration(text)
  return reading.kind === 'duration' ? { ns: reading.nanoseconds, error: undefined } : { ns: undefined, error: reading.message }
}
