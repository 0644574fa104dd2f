/** Jobs in which one member is another than before: absent, empty, zero, negative, large, or turned round. Each kind of change comes once. */
import type { ApiObject, ApiValue } from '../../src/jobspec/decode/api-job.js'
import { SeededRandom } from '../simulation/seeded-random.js'
import { JobGenerator } from './job-generator.js'
import type { Case } from './questions.js'

type Path = readonly (string | number)[]

export interface ChangedMember {
  /** `TaskGroups.*.Count = -1` */
  readonly name: string
  readonly one: Case
}

export function* eachMember(seed: number, jobs: number): Iterable<ChangedMember> {
  const seen = new Set<string>()
  for (let at = 0; at < jobs; at++) {
    const random = new SeededRandom(seed * 1_000_003 + at)
    const job = new JobGenerator(random).job({ odd: 0, blocks: 2, isSound: true })
    for (const path of membersOf(job, [])) {
      for (const value of otherValues(valueAt(job, path))) {
        const name = `${path.map((step) => (typeof step === 'number' ? '*' : step)).join('.')} = ${JSON.stringify(value)}`
        if (seen.has(name) || path[0] === 'ID') continue
        seen.add(name)
        yield { name, one: { job, next: withValue(job, path, value) } }
      }
    }
  }
}

function* membersOf(value: ApiValue, path: Path): Iterable<Path> {
  if (typeof value !== 'object' || value === null) return
  for (const [name, inner] of Object.entries(value)) {
    const step = Array.isArray(value) ? Number(name) : name
    if (!Array.isArray(value)) yield [...path, step]
    yield* membersOf(inner as ApiValue, [...path, step])
  }
}

function valueAt(job: ApiObject, path: Path): ApiValue {
  return path.reduce<ApiValue>((inner, step) => (inner as ApiObject)[step], job)
}

function otherValues(value: ApiValue): readonly ApiValue[] {
  if (Array.isArray(value)) return [null, [], value.slice(0, -1), [...value].reverse()]
  switch (typeof value) {
    case 'string':
      return [null, '', 'x', value.toUpperCase()]
    case 'number':
      return [null, 0, -1, value + 1, 40_000]
    case 'boolean':
      return [null, !value]
    default:
      return value === null ? [] : [null, {}]
  }
}

function withValue(job: ApiObject, path: Path, value: ApiValue): ApiObject {
  const changed = structuredClone(job) as Record<string, unknown>
  const owner = path.slice(0, -1).reduce<Record<string, unknown>>((inner, step) => inner[step] as Record<string, unknown>, changed)
  owner[path.at(-1)!] = value
  return changed as ApiObject
}
