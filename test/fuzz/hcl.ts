/** Reads damaged jobspecs to the end and looks for what must never happen. */
import { parse } from '@cdktf/hcl2json'
import { isSafeForHcl } from '../../src/adapters/hcl-syntax/explain-syntax.js'
import { readFast } from '../../src/adapters/hcl-syntax/read-syntax.js'
import { LIMITS, parseJob, readHcl } from '../../src/jobspec/index.js'
import { mutate, seededRandom } from './mutate.js'

export interface Finding {
  readonly kind: 'crash' | 'hang' | 'pollution' | 'verdict'
  readonly detail: string
  readonly text: string
}

export interface Fuzzed {
  readonly rounds: number
  readonly findings: readonly Finding[]
}

export const HANG_MS = 5000
/** HCL's own reader is asked about one text in so many: it is fifty times slower. */
const VERDICT_EVERY = 10
const FINDINGS_MAX = 20

export async function fuzzHcl(corpus: readonly string[], seed: number, seconds: number, onText: (text: string) => void): Promise<Fuzzed> {
  const random = seededRandom(seed)
  const until = performance.now() + seconds * 1000
  const findings: Finding[] = []
  let rounds = 0
  for (; performance.now() < until && findings.length < FINDINGS_MAX; rounds++) {
    const text = mutate(corpus[Math.floor(random() * corpus.length)]!, random)
    onText(text)
    findings.push(...readOne(text))
    if (rounds % VERDICT_EVERY === 0) findings.push(...(await compareVerdicts(text)))
  }
  return { rounds, findings }
}

function readOne(text: string): Finding[] {
  const findings: Finding[] = []
  const began = performance.now()
  try {
    const read = readFast('t.nomad.hcl', text, LIMITS)
    if (read.kind === 'syntax') parseJob({ syntax: read.syntax, tree: { has: () => false, list: () => [] } })
  } catch (error) {
    findings.push({ kind: 'crash', detail: error instanceof Error ? (error.stack ?? error.message) : String(error), text })
  }
  const tookMs = performance.now() - began
  if (tookMs > HANG_MS) findings.push({ kind: 'hang', detail: `${Math.round(tookMs)} ms`, text })
  const polluted = Object.keys(Object.prototype)
  if (polluted.length > 0) findings.push({ kind: 'pollution', detail: polluted.join(), text })
  return findings
}

async function compareVerdicts(text: string): Promise<Finding[]> {
  if (/^ *\{/.test(text) || text.includes('\u0000') || !isSafeForHcl(text)) return []
  const own = readHcl('t', text, LIMITS)
  const theirs = await verdict(text)
  const isSame = (own.kind === 'read') === (theirs === undefined)
  return isSame
    ? []
    : [{ kind: 'verdict', detail: own.kind === 'read' ? `HCL refuses: ${theirs}` : `HCL accepts, we say: ${own.fault.summary}`, text }]
}

async function verdict(text: string): Promise<string | undefined> {
  try {
    await parse('t', text)
    return undefined
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return message.startsWith('parse config') ? message : undefined
  }
}
