import { expect, test } from 'vitest'
import { formatPlanMarkdown } from '../../src/cli/plan-markdown.js'
import type { JobPlan, PlanToPrint } from '../../src/cli/plan-texts.js'

const COMMIT = { id: 'a'.repeat(40), subject: 'change', author: 'Ann' }

function plan(over: Partial<PlanToPrint> = {}): PlanToPrint {
  const nothing = {
    capacity: [],
    held: null,
    namespaces: [],
    hosts: [],
    pools: [],
    isSchedulerChanged: false,
    acts: [],
    ignored: [],
    mistakes: [],
  }
  return { ...nothing, commit: COMMIT, appliedId: 'b'.repeat(40), jobs: [], ...over }
}

function job(over: Partial<JobPlan> = {}): JobPlan {
  return {
    namespace: 'default',
    id: 'web',
    path: 'jobs/web.nomad.hcl',
    change: 'new',
    setAside: null,
    waitsFor: [],
    plan: null,
    missingDrivers: '',
    ...over,
  }
}

const PLACED = {
  Diff: null,
  Annotations: { DesiredTGUpdates: { api: { Place: 2, Ignore: 1 } }, PreemptedAllocs: [{ Name: 'batch.g[0]', NodeName: 'n1' }] },
  FailedTGAllocs: { api: { CoalescedFailures: 0, NodesEvaluated: 2, ConstraintFiltered: null, DimensionExhausted: { memory: 2 } } },
  Warnings: '',
} as unknown as NonNullable<JobPlan['plan']>

test('a plan says what would change, where it would go, what it would end and what finds no room', () => {
  const text = formatPlanMarkdown(
    plan({ jobs: [job({ plan: PLACED }), job({ id: 'same', change: 'none' }), job({ id: 'db', change: 'removed' })] }),
  )
  expect(text).toContain(`### Drover: plan of \` ${'a'.repeat(12)} \` against \` ${'b'.repeat(12)} \``)
  expect(text).toContain('2 of 3 jobs would change.')
  expect(text).toContain('| + | ` web ` | new | ` group api: place 2, keep 1 `; **no room** |')
  expect(text).toContain('| - | ` db ` | removed |  |')
  expect(text).toContain('ends batch.g[0] on n1 to make room')
  expect(text).toContain('2 node(s) without enough memory')
  expect(text).not.toContain('same')
})

test('capacity is told before and after, of the pools that the plan is about', () => {
  const amounts = (cpuMhz: number, memoryMb: number) => ({ cpuMhz, memoryMb })
  const pool = (name: string) => ({ pool: name, hosts: 2, total: amounts(4_000, 8_000), promised: amounts(1_000, 2_000) })
  const capacity = [
    { ...pool('default'), freed: amounts(100, 200) },
    { ...pool('gpu'), freed: amounts(0, 0) },
  ]
  const usage = (of: string, cpuMhz: number) => ({ pool: of, before: amounts(500, 500), after: amounts(cpuMhz, 500) })
  const jobs = [
    job({ plan: { ...PLACED, Usage: usage('default', 1_500) } }),
    job({ id: 'everywhere', plan: { ...PLACED, Usage: usage('all', 600) } }),
  ]
  const text = formatPlanMarkdown(plan({ capacity, jobs }))
  expect(text).toContain('pool default, 2 hosts: cpu 1000 -> 1900 of 4000 MHz (48%), memory 2000 -> 1800 of 8000 MiB (23%)')
  expect(text).toContain('pool all, 4 hosts: cpu 2000 -> 2100 of 8000 MHz (26%), memory 4000 -> 4000 of 16000 MiB (25%)')
  expect(text).not.toContain('gpu')
  const { commit: _, ...local } = plan({ capacity, jobs })
  expect(formatPlanMarkdown({ ...local, ref: 'refs/heads/feature' })).toContain('### Drover: plan of ` refs/heads/feature ` against')
  expect(formatPlanMarkdown(local)).toContain('### Drover: plan of the work tree against')
})

test('nothing that a branch holds leaves the code that it stands in', () => {
  const evil = 'x` | </summary> @everyone\n# title `` ```'
  const mistakes = [{ place: `${evil}:1:1`, summary: evil, detail: '' }]
  const held = { reason: 'mass-deletion', remedy: evil, jobs: [] }
  const text = formatPlanMarkdown(plan({ jobs: [job({ id: evil, plan: PLACED })], mistakes, held, acts: [evil], namespaces: [evil] }))
  const outside = text.replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '').replace(/<\/?details>|<summary>.*?<\/summary>/g, '')
  expect(outside).not.toMatch(/everyone|<|title/)
  expect(text).not.toMatch(/<summary>[^<]*@/)
  for (const row of text.split('\n').filter((line) => line.startsWith('| +'))) expect(row.replaceAll('\\|', '').split('|')).toHaveLength(6)
})

test('what is too long for a forge is told in part, and says so', () => {
  const jobs = Array.from({ length: 900 }, (_, at) => job({ id: `job-${at}`, plan: PLACED }))
  const text = formatPlanMarkdown(plan({ jobs }))
  expect(text.length).toBeLessThan(65_536)
  expect(text).toMatch(/…and 700 more/)
  expect(text).toMatch(/…and the details of \d+ more/)
})

test('nothing to do is said in a line', () => {
  expect(formatPlanMarkdown(plan({ jobs: [job({ change: 'none' })] }))).toMatch(/^### Drover[^\n]*\n\nnothing would change \(1 job\)\.\n$/)
})
