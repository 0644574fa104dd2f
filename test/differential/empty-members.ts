/** Jobs that say one thing: a block without anything in it, an empty list, or an empty map, of every member that a job file may have. */
import type { ApiObject, ApiValue } from '../../src/jobspec/decode/api-job.js'
import { type StructName, structOf } from '../../src/jobspec/decode/schema.js'

type Build = (inner: ApiObject) => ApiObject

export function emptyMembers(): Iterable<ApiObject> {
  return below('Job', (inner) => inner, ['Job'])
}

function* below(name: StructName, build: Build, around: readonly StructName[]): Iterable<ApiObject> {
  for (const { hcl, json, type } of structOf(name).fields) {
    if (hcl === '' || type.kind === 'scalar') continue
    const put = (value: ApiValue): ApiObject => build({ [json]: value })
    if (!('struct' in type)) {
      yield put(type.kind === 'scalars' ? [] : {})
      continue
    }
    const { kind, struct } = type
    if (around.includes(struct)) continue
    const putInner: Build = (inner) => put(kind === 'structs' ? [inner] : kind === 'struct-map' ? { one: inner } : inner)
    yield putInner({})
    yield* below(struct, putInner, [...around, struct])
  }
}
