/** Tables without lines, for eyes: columns as wide as they need be. */
import Table from 'cli-table3'

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

export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({ head: [...head], chars: NO_LINES, style: STYLE })
  table.push(...rows.map((row) => [...row]))
  return `${trimLines(table.toString())}\n`
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
