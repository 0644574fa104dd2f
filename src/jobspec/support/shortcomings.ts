/** What a job says and Drover does not carry out, found by walking it along the decoder's schema. */
import { type ApiObject, type ApiValue, isApiObject, objectIn, textIn } from '../decode/api-job.js'
import { isStored } from '../decode/complete.js'
import { type Field, type StructName, structOf } from '../decode/schema.js'
import { driverSchemaOf } from '../drivers/table.js'
import { type CarriedOut, type Row, type Support, supportsOf, type Where } from './support.js'
import { SUPPORT } from './support-table.js'

export interface Shortcoming {
  readonly support: Exclude<Support, CarriedOut>
  /** As an author writes it. */
  readonly name: string
  /** From the job inwards; the last step is the member itself. */
  readonly place: readonly PlaceStep[]
}

/** A block of that type, by its label or its position among its siblings, or an attribute. */
export type PlaceStep =
  | { readonly kind: 'block'; readonly type: string; readonly apiName: string; readonly which: string | number }
  | { readonly kind: 'attribute'; readonly name: string; readonly apiName: string }

interface Context {
  readonly jobType: string
  readonly driver: string
  readonly task: ApiObject
  readonly group: ApiObject
}

/** @param stored in the form in which it would be stored @param written as its author wrote it, for what is not stored at all */
export function shortcomingsOf(stored: ApiObject, written: ApiObject): readonly Shortcoming[] {
  const jobType = textIn(stored, 'Type')
  const context = { jobType, driver: '', task: {}, group: {} }
  const dropped = (name: StructName, field: Field): boolean => !isStored(name, field) || (name === 'VolumeRequest' && field.json === 'Type')
  const found = walk('Job', stored, context, [], () => true)
  const places = new Set(found.map(({ place }) => JSON.stringify(place)))
  const lost = walk('Job', written, context, [], dropped).filter(({ place }) => !places.has(JSON.stringify(place)))
  return [...found, ...lost]
}

type IsLookedAt = (name: StructName, field: Field) => boolean

function walk(name: StructName, object: ApiObject, outer: Context, place: readonly PlaceStep[], isLookedAt: IsLookedAt): Shortcoming[] {
  const context = contextIn(name, object, outer)
  const rows: Readonly<Record<string, Row>> = SUPPORT[name]
  const own = structOf(name).fields.flatMap((field) => {
    const value = object[field.json]
    const row = supportsOf(rows[field.json]!)
    if (!saysSomething(value) && !row.some((one) => countsSilence(one, value))) return []
    const support = row.find((one) => applies(one, context, value))
    const isShort = support !== undefined && support.kind !== 'carried-out'
    if (isShort && isLookedAt(name, field)) {
      const steps = firstStep(field, value)
      return [{ support, name: writtenName(field), place: [...place, ...steps] }]
    }
    return isShort ? [] : walkInside(field, value, context, place, isLookedAt)
  })
  return name === 'Task' ? [...own, ...configShortcomings(object, place, isLookedAt)] : own
}

function contextIn(name: StructName, object: ApiObject, outer: Context): Context {
  if (name === 'Task') return { ...outer, driver: textIn(object, 'Driver'), task: object }
  return name === 'TaskGroup' ? { ...outer, group: object } : outer
}

function walkInside(field: Field, value: ApiValue, context: Context, place: readonly PlaceStep[], isLookedAt: IsLookedAt): Shortcoming[] {
  const { type } = field
  if (!('struct' in type)) return []
  return itemsOf(field, value).flatMap(([item, which]) => {
    const label = structOf(type.struct).label
    const step = blockStep(field, label === undefined || typeof which === 'string' ? which : textIn(item, label.json))
    return walk(type.struct, item, context, [...place, step], isLookedAt)
  })
}

/** Each with its name in a map, or its position. */
function itemsOf({ type }: Field, value: ApiValue): readonly (readonly [ApiObject, string | number])[] {
  if (Array.isArray(value)) return (value as readonly ApiValue[]).flatMap((item, at) => (isApiObject(item) ? [[item, at] as const] : []))
  if (!isApiObject(value)) return []
  if (type.kind !== 'struct-map') return [[value, 0]]
  return Object.entries(value).flatMap(([name, item]) => (isApiObject(item) ? [[item, name] as const] : []))
}

function blockStep(field: Field, which: string | number): PlaceStep {
  return { kind: 'block', type: writtenName(field), apiName: field.json, which }
}

function firstStep(field: Field, value: ApiValue): readonly PlaceStep[] {
  const isBlock = 'struct' in field.type
  if (!isBlock) return [{ kind: 'attribute', name: writtenName(field), apiName: field.json }]
  const label = 'struct' in field.type ? structOf(field.type.struct).label : undefined
  const [first] = itemsOf(field, value)
  if (first === undefined) return [blockStep(field, 0)]
  const [item, which] = first
  return [blockStep(field, label === undefined || typeof which === 'string' ? which : textIn(item, label.json))]
}

/** The name in HCL; for what HCL has no name of its own for, that of the API. */
function writtenName(field: Field): string {
  if (field.hcl !== '') return field.hcl
  return 'struct' in field.type ? field.json.toLowerCase() : field.json
}

/** Members of `config` that a driver takes and does not act upon. */
function configShortcomings(task: ApiObject, place: readonly PlaceStep[], isLookedAt: IsLookedAt): Shortcoming[] {
  const field = structOf('Task').byJson.get('config')!
  if (!isLookedAt('Task', field)) return []
  const refusals = driverSchemaOf(textIn(task, 'Driver'))?.refused ?? {}
  return Object.entries(objectIn(task, 'Config') ?? {}).flatMap(([name, value]) => {
    const support = Object.hasOwn(refusals, name) ? refusals[name] : undefined
    if (support === undefined || !saysSomething(value)) return []
    const inside: PlaceStep = { kind: 'attribute', name, apiName: name }
    return [{ support, name, place: [...place, blockStep(field, 0), inside] }]
  })
}

function applies(support: Support, context: Context, value: ApiValue): boolean {
  const where: Where = support.kind === 'carried-out' ? {} : (support.where ?? {})
  if (where.drivers !== undefined && !where.drivers.includes(context.driver)) return false
  if (where.jobTypes !== undefined && !where.jobTypes.includes(context.jobType)) return false
  if (where.task !== undefined && !where.task.holds(context.task)) return false
  if (where.group !== undefined && !where.group.holds(context.group)) return false
  return where.value === undefined || where.value.holds(value)
}

function countsSilence(support: Support, value: ApiValue): boolean {
  if (support.kind === 'carried-out') return false
  return support.where?.countsAbsent === true || (support.where?.countsZero === true && value != null)
}

/** Zero, empty and absent ask for nothing. */
function saysSomething(value: ApiValue): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return false
  if (Array.isArray(value)) return value.length > 0
  return !isApiObject(value) || Object.keys(value).length > 0
}
