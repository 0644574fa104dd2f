/** The table for people: `docs/jobspec-support.md`. */
import { type Field, type StructName, structNames, structOf } from '../decode/schema.js'
import { DRIVER_SCHEMAS } from '../drivers/table.js'
import { type Row, type Support, supportsOf } from './support.js'
import { SUPPORT } from './support-table.js'

const HEAD = `# What becomes of each member of a jobspec

Written by \`npm run jobspec-support\` from \`src/jobspec/support\`, the table that \`drover validate\`, \`drover plan\`, the server and the
agent use. What is refused is a mistake of the file, told before it is committed, with what to write instead; what has no effect is
told as a warning. \`render\` shows every job. A block is looked into where it is not refused as a whole.
`

export function supportPage(): string {
  return `${[HEAD, ...structNames().map(section), driverSection()].join('\n')}`
}

function section(name: StructName): string {
  const struct = structOf(name)
  const rows: Readonly<Record<string, Row>> = SUPPORT[name]
  const lines = struct.fields.map((field) => line(writtenName(field), field.json, rows[field.json]!))
  return [`## ${name}`, '', ...tableHead('in HCL'), ...lines, ''].join('\n')
}

function tableHead(first: string): readonly string[] {
  return [`| ${first} | in the API | carried out by, or refused because |`, '|---|---|---|']
}

function line(hcl: string, json: string, row: Row): string {
  return `| ${hcl} | ${json} | ${supportsOf(row).map(words).join('; else ')} |`
}

function writtenName(field: Field): string {
  return field.hcl === '' ? '' : `\`${field.hcl}\``
}

function words(support: Support): string {
  if (support.kind === 'carried-out') return support.by
  const conditions = [
    ...(support.where?.drivers === undefined ? [] : [`is of driver ${support.where.drivers.join(', ')}`]),
    ...(support.where?.jobTypes === undefined ? [] : [`in jobs of type ${support.where.jobTypes.join(', ')}`]),
    ...(support.where?.value === undefined ? [] : [support.where.value.words]),
    ...(support.where?.task === undefined ? [] : [support.where.task.words]),
    ...(support.where?.group === undefined ? [] : [support.where.group.words]),
  ]
  const when = conditions.length === 0 ? '' : ` where it ${conditions.join(' and ')}`
  if (support.kind === 'differs') return `${support.by}${when}, told as a warning: ${support.because}`
  if (support.kind === 'without-effect') return `*no effect*${when}: ${support.because}`
  return `**refused**${when}: ${support.because}. ${support.instead}`
}

function driverSection(): string {
  const lines = Object.entries(DRIVER_SCHEMAS).flatMap(([driver, { refused = {} }]) =>
    Object.entries(refused).map(([name, support]) => line(`\`${driver}\`: \`${name}\``, `Config.${name}`, support)),
  )
  return [
    '## Configuration of drivers',
    '',
    'What a driver takes is checked by name and type; of what it takes these are refused.',
    '',
    ...tableHead('driver and member'),
    ...lines,
    '',
  ].join('\n')
}
