/** Tables without lines, for eyes: columns as wide as they need be, or as the terminal lets them be. */
import Table from 'cli-table3'
import type { Terminal } from './terminal.js'

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

const STYLE = { head: [], border: [], 'padding-left': 0, 'padding-right': 0 }

/** @param terminal where it is to be seen: the widest columns give way until all fit */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[], terminal?: Terminal): string {
  const colWidths = terminal === undefined ? [] : fitWidths([head, ...rows], terminal.columns)
  const table = new Table({ head: [...head], chars: NO_LINES, style: STYLE, colWidths })
  table.push(...rows.map((row) => [...row]))
  return `${trimLines(table.toString())}\n`
}

const GAP = 2
const NARROWEST = 8

/** Empty when everything fits as it is. */
function fitWidths(lines: readonly (readonly string[])[], columns: number): number[] {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => visibleLength(line[at] ?? ''))))
  const room = columns - GAP * (widths.length - 1)
  const total = () => widths.reduce((sum, width) => sum + width, 0)
  if (total() <= room) return []
  while (total() > room) {
    const widest = Math.max(...widths)
    if (widest <= NARROWEST) break
    const at = widths.indexOf(widest)
    const next = Math.max(NARROWEST, ...widths.filter((width) => width < widest))
    widths[at] = Math.max(next, widest - (total() - room))
    if (widths[at] === widest) widths[at] = widest - 1
  }
  return widths
}

function visibleLength(text: string): number {
  return [...text.replace(/\u001b\[\d+m/g, '')].length
}

/** `name  value`, one a line. */
export function formatFacts(facts: readonly (readonly [name: string, value: string])[]): string {
  const table = new Table({ chars: NO_LINES, style: STYLE })
  table.push(...facts.map(([name, value]) => [name, value]))
  return `${trimLines(table.toString())}\n`
}

function trimLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** How long ago: `3s`, `5m`, `2h`, `4d`. `nanoseconds` 0 is never. */
export function formatAge(nanoseconds: number, nowMs: number): string {
  if (nanoseconds === 0) return '-'
  const seconds = Math.max(0, Math.floor((nowMs - nanoseconds / 1e6) / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`
}

export function shortId(id: string): string {
  return id.slice(0, 8)
}

/** `1.5 GiB`; MiB as the API has them. */
export function formatMib(mib: number): string {
  return mib < 1024 ? `${Math.round(mib)} MiB` : `${(mib / 1024).toFixed(1)} GiB`
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
