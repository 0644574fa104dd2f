/** A job as clients write it, with every member: what was not said is null where that differs from zero. The parse endpoint answers so. */
import { type ApiObject, type ApiValue, apiObject, isApiObject } from './api-job.js'
import { type FieldType, type StructName, structOf } from './schema.js'

/** Members that are left out when they were not said. */
const LEFT_OUT: Readonly<Partial<Record<StructName, readonly string[]>>> = { Task: ['CSIPluginConfig'], Service: ['Namespace'] }

/** Null instead of zero, although the schema does not tell them apart. */
const NULL_AT_ZERO: Readonly<Partial<Record<StructName, readonly string[]>>> = { Job: ['Payload'] }

export function clientForm(job: ApiObject): ApiObject {
  return clientObject('Job', job)
}

function clientObject(name: StructName, object: ApiObject): ApiObject {
  const isSaid = (member: string) => object[member] !== undefined && object[member] !== null && object[member] !== ''
  const members = structOf(name).fields.flatMap(({ json, type }): (readonly [string, ApiValue])[] => {
    if (!isSaid(json) && LEFT_OUT[name]?.includes(json)) return []
    return [[json, !isSaid(json) && NULL_AT_ZERO[name]?.includes(json) ? null : clientValue(type, object[json])]]
  })
  return apiObject(members)
}

function clientValue(type: FieldType, value: ApiValue): ApiValue {
  if (value === undefined || value === null) {
    if (type.kind !== 'scalar' || type.isOptional) return null
    return type.scalar === 'string' ? '' : type.scalar === 'bool' ? false : 0
  }
  switch (type.kind) {
    case 'struct':
      return isApiObject(value) ? clientObject(type.struct, value) : value
    case 'structs':
      return Array.isArray(value) ? value.map((item: ApiValue) => (isApiObject(item) ? clientObject(type.struct, item) : item)) : value
    case 'struct-map':
      return isApiObject(value)
        ? apiObject(Object.entries(value).map(([key, item]) => [key, isApiObject(item) ? clientObject(type.struct, item) : item] as const))
        : value
    default:
      return value
  }
}
