/**
 * Which jobs may read encrypted values beside those that the variable's path names: `vars/<namespace>/_access.yaml`, a mapping of paths to
 * jobs of the namespace. `*` at the end of either stands for anything.
 */
import { isScalar, isSeq } from 'yaml'
import { isCovered, type Mistake } from '../../domain/index.js'
import { readMapping, textOf } from './yaml-mapping.js'

/** Jobs by path. */
export type AccessRules = ReadonlyMap<string, readonly string[]>

export function readAccess(path: string, text: string): AccessRules | { readonly mistakes: readonly Mistake[] } {
  const rules = new Map<string, readonly string[]>()
  const isWhat = { summary: 'Access is a mapping of paths to lists of jobs', detail: 'Write one path a line: `secret/db: [web]`.' }
  const mistakes = readMapping(path, text, isWhat, ({ name, offset, value }, note) => {
    const jobs = isSeq(value) ? value.items.map((item) => (isScalar(item) ? textOf(item) : '')) : []
    if (name === '' || jobs.length === 0 || jobs.includes(''))
      note(offset, `What stands at "${name}" is no list of jobs`, 'Write ids of jobs of the namespace: `secret/db: [web, "api-*"]`.')
    else rules.set(name, jobs)
  })
  return mistakes.length > 0 ? { mistakes } : rules
}

export function readersOf(rules: AccessRules | undefined, path: string): readonly string[] {
  const granted = [...(rules ?? [])].filter(([pattern]) => isCovered(path, pattern)).flatMap(([, jobs]) => jobs)
  return [...new Set(granted)].sort()
}
