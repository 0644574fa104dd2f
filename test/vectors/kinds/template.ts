import { fromText, type Rendering, renderTemplate, toText } from '../../../src/agent/template/index.js'
import type { Mismatch } from '../compare.js'
import type { VectorKind } from '../kind.js'

export interface TemplateCase {
  readonly name: string
  readonly template: string
  readonly left?: string
  readonly right?: string
  readonly output?: string
  readonly error?: { readonly line: number | null; readonly column: number | null; readonly text: string }
}

export interface TemplateCases {
  readonly program: string
  readonly environment: Readonly<Record<string, string>>
  readonly cases: readonly TemplateCase[]
}

/** Renders as recorded: with that environment, and nothing else to be found. */
export function renderCase(
  one: Pick<TemplateCase, 'template' | 'left' | 'right'>,
  environment: Readonly<Record<string, string>>,
): Rendering {
  const { template, left, right } = one
  return renderTemplate(
    { text: fromText(template), ...(left === undefined ? {} : { left }), ...(right === undefined ? {} : { right }) },
    {
      environment: (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined),
      find: () => ({ kind: 'absent' }),
      nowMs: Date.UTC(2026, 0, 2, 3, 4, 5),
      random: (size) => new Uint8Array(size).fill(7),
    },
  )
}

/** Texts exactly; of failures the verdict and the line. */
function compareRendering(one: TemplateCase, got: Rendering): readonly Mismatch[] {
  if (one.output !== undefined) {
    const text = got.kind === 'text' ? toText(got.text) : got
    return text === one.output ? [] : [{ path: '$.output', expected: one.output, got: text }]
  }
  if (got.kind !== 'failure') return [{ path: '$.error', expected: one.error, got }]
  const line = one.error?.line ?? got.line
  return line === got.line ? [] : [{ path: '$.error.line', expected: line, got: got.line }]
}

function templateKind(kind: string): VectorKind {
  return {
    kind,
    *run(content) {
      const { environment, cases } = content as TemplateCases
      for (const one of cases) yield { name: one.name, mismatches: compareRendering(one, renderCase(one, environment)) }
    },
  }
}

export const TEMPLATE_KINDS: readonly VectorKind[] = [templateKind('template/cases'), templateKind('template/functions')]
