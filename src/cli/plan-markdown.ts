/**
 * A plan as a comment of a pull request, for GitHub, GitLab and Gitea alike. What comes from files stands in code only: nothing that a branch
 * holds can name people, draw tables or become HTML.
 */
import { describeDiff } from './diff.js'
import { describeFailures } from './placement.js'
import { changeCounts, describeAllUpdates, describeCapacity, type JobPlan, mistakeText, type PlanToPrint, SIGNS } from './plan-texts.js'

/** Forges take 65,536 characters, GitLab more. */
const LENGTH_MAX = 60_000
const ROWS_MAX = 200

export function formatPlanMarkdown(plan: PlanToPrint): string {
  const { source = 'default', commit, ref, appliedId, jobs, mistakes, held, ignored, acts } = plan
  const against = appliedId === null ? '' : ` against ${code(appliedId.slice(0, 12))}`
  const what = commit !== undefined ? code(commit.id.slice(0, 12)) : ref !== undefined ? code(ref) : 'the work tree'
  const shown = jobs.filter(({ change }) => change !== 'none')
  const parts = [
    `### Drover: plan of ${source === 'default' ? '' : `${code(source)}, `}${what}${against}`,
    `${changeCounts(plan)}.`,
    ...(held === null ? [] : [`**Held** (${held.reason}): ${code(held.remedy)}`]),
    ...(mistakes.length === 0 ? [] : [listOf('Mistakes; these files stay as they were', mistakes.map(mistakeText))]),
    ...(shown.length === 0 ? [] : [tableOf(shown)]),
    ...(describeCapacity(plan).length === 0 ? [] : [listOf('Capacity', describeCapacity(plan))]),
    ...(placesOf(plan).length === 0 ? [] : [listOf('Besides', placesOf(plan))]),
    ...(acts.length === 0 ? [] : [listOf('Done once by trailers', acts)]),
    ...(ignored.length === 0 ? [] : [listOf('Nothing would be done for', ignored)]),
  ]
  const details = shown.flatMap(detailOf)
  return fitted(parts, details)
}

/** Details are left out from the end when all is too long. */
function fitted(parts: readonly string[], details: readonly string[]): string {
  let text = parts.join('\n\n')
  if (text.length > LENGTH_MAX) text = `${text.slice(0, LENGTH_MAX)}\n\n…`
  for (const [at, detail] of details.entries()) {
    if (text.length + detail.length > LENGTH_MAX)
      return `${text}\n\n…and the details of ${details.length - at} more: \`drover plan --server --ref\` tells all.\n`
    text += `\n\n${detail}`
  }
  return `${text}\n`
}

function tableOf(jobs: readonly JobPlan[]): string {
  const rows = jobs.slice(0, ROWS_MAX).map((job) => {
    const name =
      job.id === '' ? code(job.path) : code(job.namespace === 'default' || job.namespace === '' ? job.id : `${job.namespace}/${job.id}`)
    const groups = describeAllUpdates(job)
    const unplaced = Object.keys(job.plan?.FailedTGAllocs ?? {}).length > 0
    const waits = job.waitsFor.map((text) => `waits: ${code(text)}`)
    const what = [
      ...waits,
      ...groups.map(code),
      ...(unplaced ? ['**no room**'] : []),
      ...(job.change === 'frozen' ? ['stays as it is'] : []),
    ]
    return `| ${SIGNS[job.change] ?? '!'} | ${name} | ${job.change} | ${what.join('; ')} |`
  })
  const more = jobs.length > ROWS_MAX ? [`| | …and ${jobs.length - ROWS_MAX} more | | |`] : []
  return ['| | job | change | what it would do |', '|---|---|---|---|', ...rows, ...more].join('\n')
}

function detailOf(job: JobPlan): readonly string[] {
  const { plan } = job
  if (plan === null) return []
  const diff = job.change === 'changed' && plan.Diff !== null ? describeDiff(plan.Diff, '') : ''
  const evicted = (plan.Annotations?.PreemptedAllocs ?? []).map(({ Name, NodeName }) => `ends ${Name} on ${NodeName} to make room\n`)
  const unplaced = plan.FailedTGAllocs ? describeFailures(plan.FailedTGAllocs) : ''
  const text = diff + evicted.join('') + unplaced
  if (text === '') return []
  return [`<details><summary>${escapeHtml(job.id)}</summary>\n\n${fenced(text)}\n\n</details>`]
}

function placesOf({ namespaces, pools, hosts, isSchedulerChanged }: PlanToPrint): readonly string[] {
  return [
    ...namespaces.map((name) => `+ namespace ${name}`),
    ...pools.map(({ name, change }) => `${SIGNS[change]} pool ${name}`),
    ...hosts.map(({ name, change }) => `${SIGNS[change]} host ${name}`),
    ...(isSchedulerChanged ? ['~ settings of the scheduler'] : []),
  ]
}

function listOf(title: string, lines: readonly string[]): string {
  const shown = lines.slice(0, ROWS_MAX).map((line) => `- ${code(line)}`)
  const more = lines.length > ROWS_MAX ? [`- …and ${lines.length - ROWS_MAX} more`] : []
  return [`**${title}**`, '', ...shown, ...more].join('\n')
}

/** Line breaks and bars would end a row of a table, backticks the code. */
function code(text: string): string {
  const line = text.replace(/\s+/g, ' ').replaceAll('|', '\\|')
  const ticks = fenceFor(line, 1)
  return `${ticks} ${line} ${ticks}`
}

function fenced(text: string): string {
  const fence = fenceFor(text, 3)
  return `${fence}diff\n${text.trimEnd()}\n${fence}`
}

function fenceFor(text: string, lengthMin: number): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  return '`'.repeat(Math.max(lengthMin, longest + 1))
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`@\n|*_[\]]/g, (letter) => `&#${letter.charCodeAt(0)};`)
}
