/**
 * `NOMAD_DIFF_ADDR=http://127.0.0.1:4646 npm run differential -- [--each] [--cases N] [--seed S] [--only QUESTION]`: generated jobs put to
 * Drover's own functions and to a Nomad-compatible API; exit code 1 when any difference has no explanation. With `--each` the jobs differ from
 * sound ones in a single member, and every change of every member that N jobs have is tried once; before them, each block, list and map alone and empty.
 */

import { SeededRandom } from '../simulation/seeded-random.js'
import type { Mismatch } from '../vectors/compare.js'
import { eachMember } from './each-member.js'
import { emptyMembers } from './empty-members.js'
import { type Chance, JobGenerator } from './job-generator.js'
import { ask, type Case, QUESTIONS, type Question } from './questions.js'
import { NomadReference } from './reference.js'
import { shrink } from './shrink.js'

const words = process.argv.slice(2)
const option = (name: string): string | undefined => {
  const at = words.indexOf(`--${name}`)
  return at < 0 ? undefined : words[at + 1]
}
const address = process.env['NOMAD_DIFF_ADDR']
if (address === undefined || address === '') {
  console.log('skipped: NOMAD_DIFF_ADDR names no Nomad-compatible address to compare with')
  process.exit(0)
}
const cases = Number(option('cases') ?? 1000)
const seed = Number(option('seed') ?? 1)
const only = option('only') as Question | undefined
const questions = only === undefined ? QUESTIONS : QUESTIONS.filter((question) => question === only)

interface Finding {
  readonly question: Question
  readonly smallest: Case
  readonly mismatches: readonly Mismatch[]
  count: number
}

/** What two findings of one kind have in common: the question, and where the first difference is, without positions and names. */
function kindOf(question: Question, mismatches: readonly Mismatch[]): string {
  const [first] = mismatches
  const general = (value: unknown): string =>
    typeof value === 'string'
      ? value
          .replace(/\d+/g, '#')
          .replace(/"[^"]*"|'[^']*'/g, '"…"')
          .slice(0, 160)
      : typeof value
  const path = (first?.path ?? '').replace(/\[\d+\]/g, '[]')
  const texts = path.includes('rrors') || path.includes('arnings') || path.startsWith('$.mistake') || path.startsWith('$.refused')
  return `${question} ${path}${texts ? ` ${general(first?.expected)} | ${general(first?.got)}` : ''}`
}

const reference = new NomadReference(address)
const findings = new Map<string, Finding>()
/** How often each question could be put. */
const answered = new Map<Question, number>()
let jobs = 0
for (const { any, sound } of words.includes('--each') ? changedJobs() : randomJobs()) {
  jobs++
  for (const question of questions) await put(question, named(question === 'store' || question === 'diff' ? sound : any))
}
reference.close()
for (const [kind, { smallest, mismatches, question, count }] of [...findings].sort((a, b) => b[1].count - a[1].count)) {
  console.log(`\n${count} × ${kind}`)
  console.log(`  ${JSON.stringify(smallest.job)}`)
  if (question === 'diff') console.log(`  ${JSON.stringify(smallest.next)}`)
  for (const { path, expected, got } of mismatches.slice(0, 6))
    console.log(`  ${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`)
}
const counts = [...answered].map(([question, count]) => `${question} ${count}`).join(', ')
console.log(`\n${jobs} jobs, seed ${seed}, answered: ${counts}; ${findings.size} kinds of difference`)
process.exitCode = findings.size > 0 ? 1 : 0

interface Jobs {
  readonly any: Case
  /** That a server takes. */
  readonly sound: Case
}

function* randomJobs(): Iterable<Jobs> {
  for (let at = 0; at < cases; at++) {
    const random = new SeededRandom(seed * 1_000_003 + at)
    const generator = new JobGenerator(random)
    const blocks = random.pick([0.5, 1, 1.5])
    const any = caseOf(generator, random, { odd: random.pick([0, 0.01, 0.02, 0.05]), blocks })
    yield { any, sound: caseOf(generator, random, { odd: 0, blocks, isSound: true }) }
  }
}

/** Runs of several seeds may use one server side by side. */
function named({ job, next }: Case): Case {
  const ID = `diffjob-${seed}`
  return { job: { ...job, ID }, next: { ...next, ID } }
}

/** Planned in both directions; stored as it becomes. */
function* changedJobs(): Iterable<Jobs> {
  for (const job of emptyMembers()) yield { any: { job, next: job }, sound: { job, next: job } }
  for (const { one } of eachMember(seed, cases)) {
    const back = { job: one.next, next: one.job }
    yield { any: back, sound: one }
    yield { any: back, sound: back }
  }
}

function caseOf(generator: JobGenerator, random: SeededRandom, chance: Chance): Case {
  const job = generator.job(chance)
  return { job, next: generator.mutate(job, random.between(1, 3)) }
}

async function put(question: Question, one: Case): Promise<void> {
  const mismatches = await differences(question, one)
  if (mismatches === undefined) return
  answered.set(question, (answered.get(question) ?? 0) + 1)
  if (mismatches.length === 0) return
  const kind = kindOf(question, mismatches)
  const known = findings.get(kind)
  if (known !== undefined) {
    known.count++
    return
  }
  const smallest = await shrink(one, async (smaller) => {
    const left = (await differences(question, smaller)) ?? []
    return left.length > 0 && kindOf(question, left) === kind
  })
  findings.set(kind, { question, smallest, mismatches: (await differences(question, smallest)) ?? [], count: 1 })
}

async function differences(question: Question, one: Case): Promise<readonly Mismatch[] | undefined> {
  return ask(reference, question, one)
}
