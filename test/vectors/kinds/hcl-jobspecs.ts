import { InProcessSyntaxReader } from '../../../src/adapters/hcl-syntax/index.js'
import { type Mistake, parseApiJob, type Syntax } from '../../../src/jobspec/index.js'
import { compareJson, type Mismatch } from '../compare.js'
import type { VectorKind } from '../kind.js'

interface RecordedError {
  /** `line,column-…`; null when the error has no place. */
  readonly at: string | null
  readonly in?: string
  readonly summary: string
}

interface Outcome {
  readonly job?: unknown
  readonly errors?: readonly RecordedError[]
  /** Nomad made a job that cannot be encoded: any refusal is right. */
  readonly nojson?: boolean
}

interface JobspecCase {
  readonly name: string
  readonly body: string
  readonly opts?: {
    readonly argv?: readonly string[]
    readonly env?: readonly string[]
    readonly vf?: readonly string[]
    readonly strict?: boolean
    readonly fs?: boolean
  }
  readonly both?: Outcome
  readonly 'nomad2.0.5'?: Outcome
}

type Texts = Readonly<Record<string, string>>
type Parsed = { readonly kind: 'job'; readonly job: unknown } | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }

const PATH = 't.nomad.hcl'
const reader = new InProcessSyntaxReader()

async function parse(one: JobspecCase, files: Texts): Promise<Parsed> {
  const syntaxes: Syntax[] = []
  for (const [path, text] of [[PATH, one.body] as const, ...(one.opts?.vf ?? []).map((name) => [name, files[name] ?? ''] as const)]) {
    const outcome = await reader.read(path, text)
    if (outcome.kind === 'mistakes') return outcome
    if (outcome.kind === 'aborted') throw new Error(outcome.reason)
    syntaxes.push(outcome.syntax)
  }
  const [syntax, ...variableFiles] = syntaxes
  const tree = { has: (path: string) => Object.hasOwn(files, path), list: () => Object.keys(files).sort() }
  const outcome = parseApiJob({
    syntax: syntax!,
    variableFiles,
    variables: pairs(one.opts?.argv ?? []),
    environment: pairs((one.opts?.env ?? []).map((line) => line.replace(/^NOMAD_VAR_/, ''))),
    isStrict: one.opts?.strict ?? true,
    files: new Map(Object.entries(files)),
    ...(one.opts?.fs === true ? { tree } : {}),
  })
  if (outcome.kind === 'needs') throw new Error(`needs ${outcome.paths.join()}`)
  return outcome
}

function pairs(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.filter((line) => line.includes('=')).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

/** As sets of file, line and summary. */
function compareErrors(expected: readonly RecordedError[], got: readonly Mistake[]): readonly Mismatch[] {
  const wanted = new Set(
    expected.map(({ at, in: file, summary }) => (at === null ? `: ${summary}` : `${file}:${Number.parseInt(at, 10)}: ${summary}`)),
  )
  const found = new Set(
    got.map((mistake) =>
      mistake.line === 0 && mistake.path === PATH ? `: ${mistake.summary}` : `${mistake.path}:${mistake.line}: ${mistake.summary}`,
    ),
  )
  const isSame = wanted.size === found.size && [...wanted].every((text) => found.has(text))
  return isSame ? [] : [{ path: '$.errors', expected: [...wanted], got: [...found] }]
}

function compareOutcome(expected: Outcome, got: Parsed): readonly Mismatch[] {
  if (expected.nojson === true) return got.kind === 'mistakes' ? [] : [{ path: '$', expected: 'a refusal', got: got.job }]
  if (expected.errors !== undefined) {
    return got.kind === 'mistakes' ? compareErrors(expected.errors, got.mistakes) : [{ path: '$', expected: expected.errors, got: got.job }]
  }
  if (got.kind === 'mistakes')
    return [{ path: '$', expected: expected.job, got: got.mistakes.map(({ summary, detail, line }) => `${line}: ${summary}: ${detail}`) }]
  return compareJson(expected.job, got.job, { zeroEqualsAbsent: true })
}

export const hclJobspecs: VectorKind = {
  kind: 'hcl/jobspecs',
  async *run(content) {
    const { files, vectors } = content as { readonly files: Texts; readonly vectors: readonly JobspecCase[] }
    for (const one of vectors)
      yield { name: one.name, mismatches: compareOutcome(one.both ?? one['nomad2.0.5'] ?? {}, await parse(one, files)) }
  },
}
