/** `drover nodes`, `drover allocations` …: a list is its columns and how it is read. */
import type { Command } from 'commander'
import { addConnectionOptions, addPastOption, Client, type ConnectionOptions, type Query } from './client.js'
import { CommandError, type CommandModule, type Io } from './command.js'
import { addOutputOptions, formatOf, type OutputOptions, printData } from './output.js'
import { formatTable } from './table.js'
import { paintStatus } from './terminal.js'
import { refuseWatchingThePast, watching } from './watch.js'

export interface Column<Row> {
  readonly head: string
  readonly cell: (row: Row, nowMs: number) => string
  /** What `--sort` compares; absent: the text of the cell. */
  readonly order?: (row: Row) => number | string
  /** Only in the wide form. */
  readonly isWide?: boolean
  /** Painted on terminals by how things stand. */
  readonly isStatus?: boolean
}

export interface Listing<Row> {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly summary: string
  readonly completes?: CommandModule['completes']
  /** Shown first when the list is of all namespaces. */
  readonly namespaceOf?: (row: Row) => string
  /** What `-o name` prints, and what the argument is the beginning of. */
  readonly nameOf: (row: Row) => string
  readonly columns: readonly Column<Row>[]
  /** `isWide`: what only wide columns show is wanted too. */
  readonly read: (client: Client, query: Query, isWide: boolean) => Promise<readonly Row[]>
}

interface ListOptions extends ConnectionOptions, OutputOptions {
  readonly sort?: string
  readonly filter?: string
  readonly watch: boolean
}

export function listCommand<Row>(listing: Listing<Row>): CommandModule {
  const heads = listing.columns.map(({ head }) => head.toLowerCase())
  return {
    name: listing.name,
    aliases: listing.aliases ?? [],
    usage: '[options] [NAME]',
    summary: listing.summary,
    exitCodes: { 0: 'listed, even if there is nothing', 1: 'no such column, or no server answers' },
    ...(listing.completes === undefined ? {} : { completes: listing.completes }),
    define(command: Command, io: Io, finish) {
      addOutputOptions(addPastOption(addConnectionOptions(command)))
        .argument('[NAME]', 'only what is called so, or begins so')
        .option('--filter <expression>', 'as the API\'s filter: Status == "running"')
        .option('--sort <column>', `one of ${heads.join(', ')}; with - before it the other way round`)
        .option('-w, --watch', 'stay, and print anew what has changed', false)
        .action((name: string | undefined, options: ListOptions) => finish(list(listing, name ?? '', options, io)))
    },
  }
}

async function list<Row>(listing: Listing<Row>, name: string, options: ListOptions, io: Io): Promise<number> {
  const format = formatOf(options)
  const isWide = format === 'wide'
  const order = orderOf(listing, options.sort)
  refuseWatchingThePast(options)
  const client = new Client(options, io)
  await watching(options.watch, io, async (target) => {
    const rows = (await listing.read(client, { filter: options.filter }, isWide)).filter((row) => listing.nameOf(row).startsWith(name))
    const sorted = order === undefined ? rows : [...rows].sort(order)
    if (await printData(format, sorted, sorted.map(listing.nameOf), target)) return
    if (sorted.length === 0)
      target.err(`no ${listing.name}${name === '' ? '' : ` called ${name}`}${options.filter === undefined ? '' : ' that fit'}\n`)
    else target.out(tableOf(listing, sorted, isWide, client.connection.namespace === '*', io))
  })
  return 0
}

function tableOf<Row>(listing: Listing<Row>, rows: readonly Row[], isWide: boolean, isOfAll: boolean, io: Io): string {
  const nowMs = Date.now()
  const { namespaceOf } = listing
  const namespace: readonly Column<Row>[] = isOfAll && namespaceOf !== undefined ? [{ head: 'NAMESPACE', cell: namespaceOf }] : []
  const columns = [...namespace, ...listing.columns.filter((column) => isWide || column.isWide !== true)]
  const cells = rows.map((row) =>
    columns.map(({ cell, isStatus }) => (isStatus === true ? paintStatus(cell(row, nowMs), io.terminal) : cell(row, nowMs))),
  )
  return formatTable(
    columns.map(({ head }) => head),
    cells,
    io.terminal,
  )
}

/** @throws CommandError for a column that the list has not */
function orderOf<Row>(listing: Listing<Row>, sort: string | undefined): ((a: Row, b: Row) => number) | undefined {
  if (sort === undefined) return undefined
  const isReversed = sort.startsWith('-')
  const head = sort.replace(/^-/, '').toUpperCase()
  const column = listing.columns.find((each) => each.head === head)
  if (column === undefined)
    throw new CommandError(
      `${listing.name} have no column ${sort}; there are ${listing.columns.map((each) => each.head.toLowerCase()).join(', ')}`,
    )
  const value = column.order ?? ((row: Row) => column.cell(row, 0))
  return (a, b) => {
    const [left, right] = [value(a), value(b)]
    const way = left === right ? 0 : left < right ? -1 : 1
    return isReversed ? -way : way
  }
}
