/** What changes in a job, a line a field: `group web / task app / Config[command]: "/bin/a" -> "/bin/b"`. */
import type { DiffAnswer } from './wire.js'

const TEXT_LENGTH_MAX = 60
/** A plan is read by many, and kept in logs of pipelines. */
const IS_SECRET = /secret|token|passw|credential|private|api_?key/i

export function describeDiff(diff: DiffAnswer, indent: string): string {
  return linesOf(diff, [])
    .map((line) => `${indent}${line}\n`)
    .join('')
}

function linesOf(diff: DiffAnswer, path: readonly string[]): readonly string[] {
  const fields = (diff.Fields ?? []).filter(({ Type }) => Type !== 'None').map((field) => describeField(field, path))
  const nested = [
    ...(diff.Objects ?? []).map((object) => [object, object.Name ?? ''] as const),
    ...(diff.TaskGroups ?? []).map((group) => [group, `group ${group.Name}`] as const),
    ...(diff.Tasks ?? []).map((task) => [task, `task ${task.Name}`] as const),
  ].filter(([{ Type }]) => Type !== 'None')
  return [...fields, ...nested.flatMap(([object, name]) => describeNested(object, [...path, name]))]
}

/** What is there as a whole, or gone as a whole, is not told field by field. */
function describeNested(object: DiffAnswer, path: readonly string[]): readonly string[] {
  if (object.Type === 'Added') return [`+ ${path.join(' / ')}`]
  if (object.Type === 'Deleted') return [`- ${path.join(' / ')}`]
  const lines = linesOf(object, path)
  // Some changes make a new version and are no part of the difference that Nomad's API has.
  return lines.length > 0 ? lines : [`~ ${path.join(' / ')}`]
}

function describeField({ Type, Name, Old, New }: NonNullable<DiffAnswer['Fields']>[number], path: readonly string[]): string {
  const place = [...path, Name].join(' / ')
  if (IS_SECRET.test(Name)) return `${SIGNS[Type] ?? '~'} ${place}: (not shown)`
  if (Type === 'Added') return `+ ${place}: ${textOf(New)}`
  if (Type === 'Deleted') return `- ${place}: ${textOf(Old)}`
  return `~ ${place}: ${textOf(Old)} -> ${textOf(New)}`
}

const SIGNS: Readonly<Record<string, string>> = { Added: '+', Deleted: '-', Edited: '~' }

function textOf(text: string): string {
  const quoted = JSON.stringify(text)
  return quoted.length <= TEXT_LENGTH_MAX ? quoted : `${quoted.slice(0, TEXT_LENGTH_MAX)}… (${text.length} characters)`
}
