/** What a terminal can show: colours for how things stand, and so many columns. */

export interface Terminal {
  readonly columns: number
  readonly hasColours: boolean
}

type Colour = 'green' | 'yellow' | 'red' | 'grey'

const CODES: Readonly<Record<Colour, number>> = { green: 32, yellow: 33, red: 31, grey: 90 }

const WORDS: Readonly<Record<Colour, readonly string[]>> = {
  green: ['running', 'complete', 'ready', 'successful', 'healthy', 'passing', 'success'],
  yellow: ['pending', 'blocked', 'queued', 'starting', 'unknown', 'initializing', 'paused', 'disconnected', 'ineligible', 'draining'],
  red: ['failed', 'failure', 'lost', 'down', 'unhealthy', 'critical', 'canceled', 'cancelled'],
  grey: ['dead', 'stop', 'evict'],
}

const COLOUR_OF = new Map(Object.entries(WORDS).flatMap(([colour, words]) => words.map((word) => [word, colour as Colour] as const)))

/** By the word that says most: `dead (failed)` is red. */
export function paintStatus(text: string, terminal: Terminal | undefined): string {
  if (terminal?.hasColours !== true) return text
  const colours = text.split(/[^a-z]+/).flatMap((word) => COLOUR_OF.get(word) ?? [])
  const worst = (['red', 'yellow', 'green', 'grey'] as const).find((colour) => colours.includes(colour))
  return worst === undefined ? text : `\u001b[${CODES[worst]}m${text}\u001b[39m`
}

const LEVELS = '▁▂▃▄▅▆▇█'

/** One character a value, each between 0 and 1. */
export function sparkline(values: readonly number[]): string {
  return values.map((value) => LEVELS[Math.min(LEVELS.length - 1, Math.max(0, Math.floor(value * LEVELS.length)))]).join('')
}
