/** A job under the API's names as HCL, and as HCL's JSON form: what an author would have written for it. */
import { type ApiObject, type ApiValue, isApiObject } from '../../src/jobspec/decode/api-job.js'
import { type Field, type StructName, structOf } from '../../src/jobspec/decode/schema.js'

/** Members that HCL has another form for, or none. */
function isWritable(field: Field): boolean {
  return field.hcl !== ''
}

export function writeHcl(job: ApiObject): string {
  return `job ${quote(String(job['ID'] ?? ''))} {\n${writeBody('Job', job, '  ')}}\n`
}

function writeBody(name: StructName, object: ApiObject, indent: string): string {
  return structOf(name)
    .fields.filter(isWritable)
    .map((field) => writeField(name, field, memberFor(name, field, object), indent))
    .join('')
}

/** Ports are one list in HCL, identities too. */
function memberFor(name: StructName, field: Field, object: ApiObject): ApiValue {
  if (name === 'NetworkResource' && field.json === 'ReservedPorts') return undefined
  if (name === 'NetworkResource' && field.json === 'DynamicPorts') {
    const ports = [...list(object['ReservedPorts']), ...list(object['DynamicPorts'])]
    return ports.length === 0 ? undefined : ports
  }
  if (name === 'Task' && field.json === 'Identities') {
    const all = [...(isApiObject(object['Identity']) ? [object['Identity']] : []), ...list(object['Identities'])]
    return all.length === 0 ? undefined : all
  }
  return object[field.json]
}

function list(value: ApiValue): readonly ApiValue[] {
  return Array.isArray(value) ? value : []
}

function writeField(struct: StructName, field: Field, value: ApiValue, indent: string): string {
  if (value === undefined || value === null) return ''
  const { type } = field
  switch (type.kind) {
    case 'scalar':
    case 'scalars':
    case 'string-map-attribute':
      return `${indent}${field.hcl} = ${expression(value)}\n`
    case 'string-map':
    case 'strings-map':
    case 'free-form':
      return isApiObject(value) ? writeMap(field.hcl, value, indent) : ''
    case 'struct':
      return isApiObject(value) ? writeBlock(field.hcl, type.struct, value, indent, struct) : ''
    case 'structs':
      return list(value)
        .map((item) => (isApiObject(item) ? writeBlock(field.hcl, type.struct, item, indent, struct) : ''))
        .join('')
    case 'struct-map':
      return isApiObject(value)
        ? Object.values(value)
            .map((item) => (isApiObject(item) ? writeBlock(field.hcl, type.struct, item, indent, struct) : ''))
            .join('')
        : ''
  }
}

function writeBlock(hcl: string, name: StructName, object: ApiObject, indent: string, outer: StructName): string {
  const { label } = structOf(name)
  const isTaskScaling = name === 'ScalingPolicy' && outer === 'Task'
  const written = label !== undefined ? String(object[label.json] ?? '') : isTaskScaling ? scalingLabel(object) : undefined
  const head = written === undefined ? hcl : `${hcl} ${quote(written)}`
  return `${indent}${head} {\n${writeBody(name, object, `${indent}  `)}${indent}}\n`
}

function scalingLabel(policy: ApiObject): string {
  return policy['Type'] === 'vertical_mem' ? 'mem' : 'cpu'
}

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/

/** As a block where every name can be one, else as an attribute. */
function writeMap(hcl: string, map: ApiObject, indent: string): string {
  const entries = Object.entries(map)
  if (!entries.every(([key]) => NAME.test(key))) return `${indent}${hcl} = ${expression(map)}\n`
  return `${indent}${hcl} {\n${entries.map(([key, value]) => `${indent}  ${key} = ${expression(value)}\n`).join('')}${indent}}\n`
}

function expression(value: ApiValue): string {
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return `[${value.map(expression).join(', ')}]`
  if (isApiObject(value))
    return `{ ${Object.entries(value)
      .map(([key, inner]) => `${quote(key)} = ${expression(inner)}`)
      .join(', ')} }`
  return String(value)
}

function quote(text: string): string {
  const escaped = [...text].map((char) => {
    if (char === '"' || char === '\\') return `\\${char}`
    if (char === '\n') return '\\n'
    return char < ' ' ? `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}` : char
  })
  return `"${escaped.join('')}"`
}

/** HCL's JSON form of the same job. */
export function writeHclJson(job: ApiObject): string {
  return JSON.stringify({ job: { [String(job['ID'] ?? '')]: jsonBody('Job', job) } }, null, 1)
}

function jsonBody(name: StructName, object: ApiObject): Readonly<Record<string, unknown>> {
  const members = structOf(name)
    .fields.filter(isWritable)
    .flatMap((field): [string, unknown][] => {
      const value = memberFor(name, field, object)
      if (value === undefined || value === null) return []
      const { type } = field
      if (!('struct' in type)) return [[field.hcl, value]]
      const items = type.kind === 'struct' ? [value] : type.kind === 'structs' ? list(value) : Object.values(value as ApiObject)
      return [[field.hcl, items.filter(isApiObject).map((item) => jsonBlock(type.struct, item, name))]]
    })
  return Object.fromEntries(members)
}

function jsonBlock(name: StructName, object: ApiObject, outer: StructName): Readonly<Record<string, unknown>> {
  const { label } = structOf(name)
  const body = jsonBody(name, object)
  if (label !== undefined) return { [String(object[label.json] ?? '')]: body }
  return name === 'ScalingPolicy' && outer === 'Task' ? { [scalingLabel(object)]: body } : body
}
