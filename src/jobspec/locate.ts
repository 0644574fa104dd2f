/** Points a problem of the finished job at the block that it is about. */
import { type Fault, fault } from './mistakes.js'
import type { HclBlock, HclBody, Syntax } from './syntax.js'
import type { Problem } from './validate/problem.js'

export function locateProblem(syntax: Syntax, problem: Problem): Fault {
  const [summary = '', ...rest] = flatten(problem.text)
  const detail = rest.join('\n')
  const block = syntax.kind === 'hcl' ? findBlock(syntax.body, problem) : undefined
  return block === undefined
    ? { summary, detail }
    : fault(syntax, { start: block.start, end: block.labels.at(-1)?.end ?? block.start + block.type.length }, summary, detail)
}

/** The nested text as lines, innermost sentences first when there is only one of them. */
function flatten(text: string): string[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '"' && !/^(?:\* )?[0-9]+ errors? occurred:$/.test(line))
    .map((line) => line.replace(/^\* /, '').replace(/:? ?"?[0-9]+ errors? occurred:$/, ''))
  if (lines.length <= 1) return lines
  const last = lines.at(-1)!
  return lines.length === 2 || lines.slice(0, -1).every((line) => / (?:failed|invalid)$/.test(line)) ? [last, ...lines.slice(0, -1)] : lines
}

function findBlock(body: HclBody, { group, task }: Problem): HclBlock | undefined {
  const job = blocksOf(body, 'job')[0]
  if (job === undefined || group === undefined) return job
  const groupBlock = [...blocksOf(job.body, 'group'), ...blocksOf(job.body, 'task')].find((block) => block.labels[0]?.value === group)
  if (groupBlock === undefined) return job
  if (task === undefined || groupBlock.type === 'task') return groupBlock
  return blocksOf(groupBlock.body, 'task').find((block) => block.labels[0]?.value === task) ?? groupBlock
}

function blocksOf(body: HclBody, type: string): HclBlock[] {
  return body.items.filter((item): item is HclBlock => item.kind === 'block' && item.type === type)
}
