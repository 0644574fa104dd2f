/** Objects with every member that is stored, at zero where nothing was said. */
import { type ApiObject, type ApiValue, apiObject, isApiObject } from './api-job.js'
import { type Field, type StructName, structOf } from './schema.js'

/** Members that are stored as null, not as zero, when they are absent. */
const NULLABLE: Readonly<Partial<Record<StructName, readonly string[]>>> = {
  TaskGroup: ['ShutdownDelay', 'StopAfterClientDisconnect', 'MaxClientDisconnect', 'MaxRunDuration'],
  Template: ['Uid', 'Gid'],
  WaitConfig: ['Min', 'Max'],
  DisconnectStrategy: ['StopOnClientAfter', 'Replace'],
  ConsulGatewayProxy: ['ConnectTimeout'],
  ConsulIngressService: ['MaxConnections', 'MaxPendingRequests', 'MaxConcurrentRequests'],
  Job: ['Payload'],
}

/** Superseded by `disconnect`: stored empty, whatever was written. */
const SUPERSEDED: ReadonlySet<string> = new Set(['StopAfterClientDisconnect', 'MaxClientDisconnect', 'PreventRescheduleOnLost'])

/** Members that are written by the API and never stored. */
const NOT_STORED: Readonly<Partial<Record<StructName, readonly string[]>>> = {
  Job: ['Reschedule', 'Migrate'],
  Service: ['CheckRestart'],
  ServiceCheck: ['Advertise'],
  LogConfig: ['Enabled'],
  Vault: ['Policies'],
  ScalingPolicy: ['Namespace'],
  ConsulProxy: ['ExposeConfig'],
  ConsulExposeConfig: ['Path'],
  NetworkResource: ['Device'],
}

/** Whether the member has a place in a stored job: others are read, and their meaning is stored elsewhere or nowhere. */
export function isStored(name: StructName, field: Field): boolean {
  return NOT_STORED[name]?.includes(field.json) !== true && !(name === 'TaskGroup' && SUPERSEDED.has(field.json))
}

/** Members that the stored object names differently. */
const STORED_NAMES: Readonly<Partial<Record<StructName, Readonly<Record<string, string>>>>> = { JobUILink: { URL: 'Url' } }

/** Lists that are stored as `[]` when nothing is in them. */
const EMPTY_LISTS: Readonly<Partial<Record<StructName, readonly string[]>>> = {
  Job: ['TaskGroups'],
  TaskGroup: ['Tasks'],
  PeriodicConfig: ['Specs'],
  ChangeScript: ['Args'],
}

/** Lists and maps that stay empty when they are given so, and are null when they are not given. */
const KEPT_EMPTY: Readonly<Partial<Record<StructName, readonly string[]>>> = {
  Action: ['Args'],
  CNIConfig: ['Args'],
  DNSConfig: ['Servers', 'Searches', 'Options'],
  ParameterizedJobConfig: ['MetaRequired', 'MetaOptional'],
  Spread: ['SpreadTarget'],
  // The task's own is taken out of them.
  Task: ['Identities'],
  // Of unknown types all are dropped, and the map remains.
  TaskGroup: ['Volumes'],
  WorkloadIdentity: ['Audience', 'ExtraClaims'],
}

/** Objects of which only what is not zero is stored. */
const SPARSE: ReadonlySet<StructName> = new Set(['NetworkResource'])

interface StoredField {
  readonly field: Field
  readonly name: string
}

const storedFields = new Map<StructName, readonly StoredField[]>()

function storedFieldsOf(struct: StructName): readonly StoredField[] {
  const known = storedFields.get(struct)
  if (known !== undefined) return known
  const skipped = NOT_STORED[struct] ?? []
  const fields = structOf(struct).fields.filter(({ json }) => !skipped.includes(json))
  const named = fields.map((field) => ({ field, name: STORED_NAMES[struct]?.[field.json] ?? field.json }))
  storedFields.set(struct, named)
  return named
}

/** Members are assigned in one order, so that all objects of a struct share their shape. Their names are the schema's. */
export function complete(struct: StructName, object: ApiObject): ApiObject {
  const isSparse = SPARSE.has(struct)
  const completed: Record<string, ApiValue> = {}
  for (const { field, name } of storedFieldsOf(struct)) {
    const value = completeField(struct, field, object[field.json])
    if (!isSparse || (value !== null && value !== '' && value !== 0)) completed[name] = value
  }
  return completed
}

function emptyList(name: StructName, member: string, value: ApiValue): readonly ApiValue[] | null {
  const isKept = EMPTY_LISTS[name]?.includes(member) === true || (Array.isArray(value) && KEPT_EMPTY[name]?.includes(member) === true)
  return isKept ? [] : null
}

function emptyMap(name: StructName, member: string, value: ApiValue): ApiObject | null {
  return isApiObject(value) && KEPT_EMPTY[name]?.includes(member) === true ? {} : null
}

/** `none` stands for a text that is null, or a list of texts that is empty. */
function withTexts(map: ApiObject, none: '' | null): ApiObject {
  const isNone = (value: ApiValue) => value === null || (Array.isArray(value) && value.length === 0)
  if (!Object.values(map).some(isNone)) return map
  return apiObject(Object.entries(map).map(([key, value]) => [key, isNone(value) ? none : value] as const))
}

function completeField(name: StructName, field: Field, value: ApiValue): ApiValue {
  const { type } = field
  switch (type.kind) {
    case 'scalar': {
      if (value !== undefined && value !== null) return value
      if (NULLABLE[name]?.includes(field.json) === true) return null
      return type.scalar === 'string' ? '' : type.scalar === 'bool' ? false : 0
    }
    case 'scalars':
      return Array.isArray(value) && value.length > 0 ? value : emptyList(name, field.json, value)
    case 'string-map':
    case 'string-map-attribute':
      return isApiObject(value) && Object.keys(value).length > 0 ? withTexts(value, '') : emptyMap(name, field.json, value)
    case 'strings-map':
      return isApiObject(value) && Object.keys(value).length > 0 ? withTexts(value, null) : null
    case 'free-form':
      return isApiObject(value) ? value : null
    case 'struct':
      return isApiObject(value) ? complete(type.struct, value) : null
    case 'structs':
      if (!Array.isArray(value) || value.length === 0) return emptyList(name, field.json, value)
      return value.filter(isApiObject).map((item) => complete(type.struct, item))
    case 'struct-map':
      if (!isApiObject(value) || Object.keys(value).length === 0) return emptyMap(name, field.json, value)
      return apiObject(Object.entries(value).map(([key, item]) => [key, isApiObject(item) ? complete(type.struct, item) : null] as const))
  }
}
